/* SPDX-License-Identifier: Apache-2.0 */
/* The network's kernels in plain C99: the path of every core without one of its own, and what the
 * others are held to. */
#ifndef DYNCP_PORTABLE_H
#define DYNCP_PORTABLE_H

#include <string.h>

#include "dyncp_layers.h"

static inline int32_t dcp_dot8(const int8_t *w, const int8_t *x, size_t count) {
    int32_t sum = 0;
    for (size_t k = 0; k < count; k++) {
        sum += w[k] * x[k];
    }
    return sum;
}

static inline int32_t dcp_dot16(const int8_t *w, const int16_t *x, size_t count) {
    int32_t sum = 0;
    for (size_t k = 0; k < count; k++) {
        sum += w[k] * x[k];
    }
    return sum;
}

/* Row r of a dense layer on int8: rmul(sum + bias, multiplier). */
static inline int32_t dcp_row(const dcp_layer *layer, const int8_t *x, size_t r) {
    const int32_t sum = dcp_dot8(layer->weight + r * dcp_padded(layer->columns), x, layer->columns);
    return dcp_rmul(sum + layer->bias[r], layer->multiplier[r]);
}

/* ---- Section 6, ends ---- */

static inline uint32_t dcp_front(const dcp_layer *layer, const int8_t *x, uint32_t *work,
                                 int16_t *y) {
    (void)work;
    size_t macs = 0;
    for (size_t r = 0; r < layer->rows; r++) {
        y[r] = dcp_relu16(dcp_row(layer, x, r));
        macs += layer->columns;
    }
    return (uint32_t)macs;
}

static inline uint32_t dcp_back(const dcp_layer *layer, const int8_t *x, uint32_t *work,
                                int16_t *y) {
    (void)work;
    size_t macs = 0;
    for (size_t r = 0; r < layer->rows; r++) {
        y[r] = dcp_sat16(dcp_row(layer, x, r));
        macs += layer->columns;
    }
    return (uint32_t)macs;
}

/* ---- Section 6, block, steps 1 and 2: input and pooling ---- */

static inline void dcp_narrow(int32_t multiplier, const int16_t *x, int8_t *y, size_t count) {
    for (size_t c = 0; c < count; c++) {
        y[c] = dcp_sat8(dcp_rmul(x[c], multiplier));
    }
}

/* `oldest` is the ring's slot that leaves the window; x takes its place. */
static inline void dcp_pool_window(const int8_t *x, int16_t *sum, int8_t *oldest, size_t count) {
    for (size_t c = 0; c < count; c++) {
        sum[c] = (int16_t)(sum[c] + x[c] - oldest[c]);
        oldest[c] = x[c];
    }
}

static inline void dcp_pool_ema(int32_t coefficient, const int8_t *x, int16_t *mean, size_t count) {
    for (size_t c = 0; c < count; c++) {
        mean[c] = (int16_t)(mean[c] + dcp_rmul(256 * x[c] - mean[c], coefficient));
    }
}

/* ---- Section 6, block, step 3: gate ---- */

static inline uint32_t dcp_gate(const dcp_layer *layer, const int16_t *x, uint32_t *work,
                                int16_t *y) {
    (void)work;
    size_t macs = 0;
    for (size_t r = 0; r < layer->rows; r++) {
        const int32_t sum =
            dcp_dot16(layer->weight + r * dcp_padded(layer->columns), x, layer->columns);
        macs += layer->columns;
        y[r] = dcp_relu16(dcp_rmul(sum + layer->bias[r], layer->multiplier[r]));
    }
    return (uint32_t)macs;
}

static inline uint32_t dcp_score(const dcp_layer *layer, const int16_t *x, uint32_t *work,
                                 int32_t *score) {
    (void)work;
    size_t macs = 0;
    for (size_t r = 0; r < layer->rows; r++) {
        score[r] = dcp_dot16(layer->weight + r * dcp_padded(layer->columns), x, layer->columns) +
                   layer->bias[r];
        macs += layer->columns;
    }
    return (uint32_t)macs;
}

/* ---- Section 6, block, steps 4 to 6, gate site `output` ---- */

static inline uint32_t dcp_expand(const dcp_layer *layer, const int8_t *x, uint32_t *work,
                                  int8_t *y) {
    (void)work;
    size_t macs = 0;
    for (size_t r = 0; r < layer->rows; r++) {
        y[r] = dcp_relu8(dcp_row(layer, x, r));
        macs += layer->columns;
    }
    return (uint32_t)macs;
}

/* Channel r of the depthwise convolution; h[r] takes the place of oldest[r] in the history. */
static inline int8_t dcp_taps(const dcp_layer *layer, const int8_t *h, int8_t *oldest,
                              const int8_t *middle, size_t r) {
    const int8_t *w = layer->weight + r;
    const size_t tap = dcp_padded(layer->rows);
    const int32_t sum = w[0] * oldest[r] + w[tap] * middle[r] + w[2 * tap] * h[r] + layer->bias[r];
    oldest[r] = h[r];
    return dcp_relu8(dcp_rmul(sum, layer->multiplier[r]));
}

/* h[rows] in place; oldest and middle are h of 2 D and D frames ago. */
static inline uint32_t dcp_depthwise(const dcp_layer *layer, int8_t *h, int8_t *oldest,
                                     const int8_t *middle) {
    size_t macs = 0;
    for (size_t r = 0; r < layer->rows; r++) {
        h[r] = dcp_taps(layer, h, oldest, middle, r);
        macs += 3;
    }
    return (uint32_t)macs;
}

/* Adds the active rows to the residual stream. */
static inline uint32_t dcp_project_rows(const dcp_layer *layer, const uint32_t *mask,
                                        const int8_t *h, uint32_t *work, int16_t *residual) {
    (void)work;
    size_t macs = 0;
    for (size_t c = 0; c < layer->rows; c++) {
        if (dcp_is_active(mask, c)) {
            const int32_t sum =
                dcp_dot8(layer->weight + c * dcp_padded(layer->columns), h, layer->columns);
            macs += layer->columns;
            residual[c] = dcp_sat16(residual[c] + dcp_rmul(sum, layer->multiplier[c]));
        }
    }
    return (uint32_t)macs;
}

/* ---- Section 6, block, steps 4 to 6, gate site `hidden` ---- */

static inline uint32_t dcp_expand_gated(const dcp_layer *layer, const uint32_t *mask,
                                        const int8_t *x, uint32_t *work, int8_t *y) {
    (void)work;
    size_t macs = 0;
    for (size_t r = 0; r < layer->rows; r++) {
        y[r] = 0;
        if (dcp_is_active(mask, r)) {
            y[r] = dcp_relu8(dcp_row(layer, x, r));
            macs += layer->columns;
        }
    }
    return (uint32_t)macs;
}

/* As dcp_depthwise; a pruned channel's h[r] is 0, stays 0 and enters the history as 0. */
static inline uint32_t dcp_depthwise_gated(const dcp_layer *layer, const uint32_t *mask, int8_t *h,
                                           int8_t *oldest, const int8_t *middle) {
    size_t macs = 0;
    for (size_t r = 0; r < layer->rows; r++) {
        if (dcp_is_active(mask, r)) {
            h[r] = dcp_taps(layer, h, oldest, middle, r);
            macs += 3;
        } else {
            oldest[r] = 0;
        }
    }
    return (uint32_t)macs;
}

/* Adds the active columns' product to the residual stream. The weights are transposed,
 * weight[columns][dcp_padded(rows)], so that a pruned column is not read; sum[rows] is work space.
 */
static inline uint32_t dcp_project_columns(const dcp_layer *layer, const uint32_t *mask,
                                           const int8_t *h, int32_t *sum, int16_t *residual) {
    size_t macs = 0;
    const size_t rows = layer->rows;
    memset(sum, 0, rows * sizeof *sum);
    for (size_t r = 0; r < layer->columns; r++) {
        if (dcp_is_active(mask, r)) {
            const int8_t *w = layer->weight + r * dcp_padded(rows);
            const int32_t value = h[r];
            for (size_t c = 0; c < rows; c++) {
                sum[c] += w[c] * value;
            }
            macs += rows;
        }
    }
    for (size_t c = 0; c < rows; c++) {
        residual[c] = dcp_sat16(residual[c] + dcp_rmul(sum[c], layer->multiplier[c]));
    }
    return (uint32_t)macs;
}

#endif
