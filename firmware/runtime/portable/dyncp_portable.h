/* SPDX-License-Identifier: Apache-2.0 */
/* The network's kernels in plain C99: the path of every core without one of its own, and what the
 * others are held to. */
#ifndef DYNCP_PORTABLE_H
#define DYNCP_PORTABLE_H

#include <string.h>

#include "dyncp_layers.h"

/* ---- Inner products of four rows, a to d, which share the loads of x, and of one. Those of a
 * corrupted pool may wrap ---- */

#define DCP_DOTS(name, type)                                                                       \
    DCP_KERNEL void name##_four(const type *x, size_t count, const int8_t *const w[4],             \
                                int32_t sum[4]) {                                                  \
        const int8_t *a = w[0], *b = w[1], *c = w[2], *d = w[3];                                   \
        uint32_t s = 0, t = 0, u = 0, v = 0;                                                       \
        for (size_t k = 0; k < count; k++) {                                                       \
            s += (uint32_t)(a[k] * x[k]);                                                          \
            t += (uint32_t)(b[k] * x[k]);                                                          \
            u += (uint32_t)(c[k] * x[k]);                                                          \
            v += (uint32_t)(d[k] * x[k]);                                                          \
        }                                                                                          \
        sum[0] = (int32_t)s;                                                                       \
        sum[1] = (int32_t)t;                                                                       \
        sum[2] = (int32_t)u;                                                                       \
        sum[3] = (int32_t)v;                                                                       \
    }                                                                                              \
    static inline int32_t name##_one(const type *x, size_t count, const int8_t *w) {               \
        uint32_t sum = 0;                                                                          \
        for (size_t k = 0; k < count; k++) {                                                       \
            sum += (uint32_t)(w[k] * x[k]);                                                        \
        }                                                                                          \
        return (int32_t)sum;                                                                       \
    }
DCP_DOTS(dcp_narrow_dots, int8_t)
DCP_DOTS(dcp_wide_dots, int16_t)
#undef DCP_DOTS

/* ---- Rows of a dense layer on int8 ---- */

/* `rows` rows whose weights begin at w, and whose places in the layer are r. */
typedef struct {
    const int8_t *w[4];
    size_t r[4], rows;
} dcp_group;

static inline uint32_t dcp_flush(const dcp_layer *layer, dcp_result kind, dcp_group *group,
                                 const int8_t *x, void *y) {
    const size_t columns = layer->columns, rows = group->rows;
    int32_t sum[4];
    if (rows == 4) {
        dcp_narrow_dots_four(x, columns, group->w, sum);
    }
    for (size_t n = 0; n < rows; n++) {
        const size_t r = group->r[n];
        const int32_t dot = rows == 4 ? sum[n] : dcp_narrow_dots_one(x, columns, group->w[n]);
        const int32_t bias = (layer->bias == NULL) ? 0 : layer->bias[r];
        const int32_t value = dcp_rmul(dcp_wrap_add(dot, bias), layer->multiplier[r]);
        dcp_put(kind, value, y, r);
    }
    group->rows = 0;
    return (uint32_t)(rows * columns);
}

/* Those that `mask` has, or all without one. */
DCP_IN_CODE static inline uint32_t dcp_rows(const dcp_layer *layer, dcp_result kind,
                                            const uint32_t *mask, const int8_t *x, void *y) {
    const size_t stride = dcp_padded(layer->columns);
    dcp_group group = {{NULL, NULL, NULL, NULL}, {0, 0, 0, 0}, 0};
    uint32_t macs = 0;
    for (size_t r = 0; r < layer->rows; r++) {
        if ((mask != NULL) && (dcp_is_active(mask, r) == 0)) {
            continue;
        }
        group.w[group.rows] = layer->weight + (r * stride);
        group.r[group.rows] = r;
        if (++group.rows == 4) {
            macs += dcp_flush(layer, kind, &group, x, y);
        }
    }
    return macs + dcp_flush(layer, kind, &group, x, y);
}

/* ---- Section 6, ends ---- */

static inline uint32_t dcp_front(const dcp_layer *layer, const int8_t *x, uint32_t *work,
                                 int16_t *y) {
    (void)work;
    return dcp_rows(layer, DCP_RELU16, NULL, x, y);
}

static inline uint32_t dcp_back(const dcp_layer *layer, const int8_t *x, uint32_t *work,
                                int16_t *y) {
    (void)work;
    return dcp_rows(layer, DCP_SAT16, NULL, x, y);
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
        mean[c] = (int16_t)(mean[c] + dcp_rmul((256 * x[c]) - mean[c], coefficient));
    }
}

/* Averages of a gate's values, each with a coefficient of its own. */
static inline void dcp_pool_each(const int32_t *coefficient, const int16_t *x, int16_t *mean,
                                 size_t count) {
    for (size_t j = 0; j < count; j++) {
        mean[j] = (int16_t)(mean[j] + dcp_rmul(x[j] - mean[j], coefficient[j]));
    }
}

/* ---- Section 6, block, step 3: gate ---- */

/* All rows, into y or, without it, into score. */
static inline uint32_t dcp_wide_rows(const dcp_layer *layer, const int16_t *x, int16_t *y,
                                     int32_t *score) {
    const size_t columns = layer->columns, stride = dcp_padded(columns);
    const int8_t *a = layer->weight;
    for (size_t r = 0; r < layer->rows;) {
        const size_t rows = r + 4 <= layer->rows ? 4 : 1;
        int32_t sum[4];
        if (rows == 4) {
            const int8_t *const w[4] = {a, a + stride, a + 2 * stride, a + 3 * stride};
            dcp_wide_dots_four(x, columns, w, sum);
        } else {
            sum[0] = dcp_wide_dots_one(x, columns, a);
        }
        a += rows * stride;
        for (size_t n = 0; n < rows; n++, r++) {
            const int32_t value = dcp_wrap_add(sum[n], layer->bias[r]);
            if (y != NULL) {
                y[r] = dcp_relu16(dcp_rmul(value, layer->multiplier[r]));
            } else {
                score[r] = value;
            }
        }
    }
    return (uint32_t)(layer->rows * columns);
}

static inline uint32_t dcp_gate(const dcp_layer *layer, const int16_t *x, uint32_t *work,
                                int16_t *y) {
    (void)work;
    return dcp_wide_rows(layer, x, y, NULL);
}

/* columns: those of the layer, known to the compiler. */
static inline uint32_t dcp_score(const dcp_layer *layer, size_t columns, const int16_t *x,
                                 uint32_t *work, int32_t *score) {
    (void)columns;
    (void)work;
    return dcp_wide_rows(layer, x, NULL, score);
}

/* ---- Section 6, block, steps 4 to 6, gate site `output` ---- */

DCP_KERNEL uint32_t dcp_expand(const dcp_layer *layer, const int8_t *x, uint32_t *work, int8_t *y) {
    (void)work;
    return dcp_rows(layer, DCP_RELU8, NULL, x, y);
}

/* h[rows] in place; oldest and middle are h of 2 D and D frames ago. */
static inline uint32_t dcp_depthwise(const dcp_layer *layer, int8_t *h, int8_t *oldest,
                                     const int8_t *middle) {
    const dcp_layer own = *layer; /* what is written cannot alias it */
    size_t macs = 0;
    for (size_t r = 0; r < own.rows; r++) {
        h[r] = dcp_taps(&own, h, oldest, middle, r);
        macs += 3;
    }
    return (uint32_t)macs;
}

/* Adds the active rows to the residual stream. */
DCP_KERNEL uint32_t dcp_project_rows(const dcp_layer *layer, const uint32_t *mask, const int8_t *h,
                                     uint32_t *work, int16_t *residual) {
    (void)work;
    return dcp_rows(layer, DCP_RESIDUAL, mask, h, residual);
}

/* ---- Section 6, block, steps 4 to 6, gate site `hidden` ---- */

DCP_KERNEL uint32_t dcp_expand_gated(const dcp_layer *layer, const uint32_t *mask, const int8_t *x,
                                     uint32_t *work, int8_t *y) {
    (void)work;
    (void)memset(y, 0, layer->rows);
    return dcp_rows(layer, DCP_RELU8, mask, x, y);
}

/* As dcp_depthwise; a pruned channel's h[r] is 0, stays 0 and enters the history as 0. */
static inline uint32_t dcp_depthwise_gated(const dcp_layer *layer, const uint32_t *mask, int8_t *h,
                                           int8_t *oldest, const int8_t *middle) {
    const dcp_layer own = *layer;
    size_t macs = 0;
    for (size_t r = 0; r < own.rows; r++) {
        if (dcp_is_active(mask, r) != 0) {
            h[r] = dcp_taps(&own, h, oldest, middle, r);
            macs += 3;
        } else {
            oldest[r] = 0;
        }
    }
    return (uint32_t)macs;
}

/* sum[rows] += the columns at w, each times its value; 1 or 4 of them. */
static inline void dcp_add_columns(const int8_t *const *w, const int32_t *value, size_t count,
                                   size_t rows, int32_t *sum) {
    if (count == 4) {
        const int8_t *p = w[0], *q = w[1], *r = w[2], *s = w[3];
        const int32_t a = value[0], b = value[1], c = value[2], d = value[3];
        for (size_t n = 0; n < rows; n++) {
            sum[n] = dcp_wrap_add(sum[n], (p[n] * a) + (q[n] * b) + (r[n] * c) + (s[n] * d));
        }
    } else {
        for (size_t n = 0; n < rows; n++) {
            sum[n] = dcp_wrap_add(sum[n], w[0][n] * value[0]);
        }
    }
}

/* Adds the active columns' product to the residual stream. The weights are transposed,
 * weight[columns][dcp_padded(rows)], so that a pruned column is not read, nor one whose value is 0,
 * as that of many an active channel is; sum[rows] is work space. */
DCP_KERNEL uint32_t dcp_project_columns(const dcp_layer *layer, const uint32_t *mask,
                                        const int8_t *h, int32_t *sum, int16_t *residual) {
    const size_t rows = layer->rows, stride = dcp_padded(rows);
    const int8_t *w[4];
    int32_t value[4];
    size_t waiting = 0;
    uint32_t active = 0;
    (void)memset(sum, 0, rows * sizeof *sum);
    for (size_t r = 0; r < layer->columns; r++) {
        if (!dcp_is_active(mask, r)) {
            continue;
        }
        active++;
        if (h[r] != 0) {
            w[waiting] = layer->weight + (r * stride);
            value[waiting] = h[r];
            if (++waiting == 4) {
                dcp_add_columns(w, value, 4, rows, sum);
                waiting = 0;
            }
        }
    }
    for (size_t n = 0; n < waiting; n++) {
        dcp_add_columns(w + n, value + n, 1, rows, sum);
    }
    for (size_t c = 0; c < rows; c++) {
        residual[c] = dcp_sat16(residual[c] + dcp_rmul(sum[c], layer->multiplier[c]));
    }
    return active * (uint32_t)rows;
}

#endif
