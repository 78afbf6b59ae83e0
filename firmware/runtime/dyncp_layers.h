/* SPDX-License-Identifier: Apache-2.0 */
/* How a layer's integers lie in memory. */
#ifndef DYNCP_LAYERS_H
#define DYNCP_LAYERS_H

#include "dyncp_runtime.h"

/* Constants and work space that kernels read by words, or by vectors. */
#if defined(__GNUC__)
#define DCP_ALIGNED __attribute__((aligned(8)))
#else
#define DCP_ALIGNED
#endif
#define DCP_WEIGHT DCP_IN_WEIGHTS DCP_ALIGNED
#define DCP_TABLE DCP_IN_TABLES DCP_ALIGNED

/* A kernel that all blocks share one copy of, if they use it at all. */
#if defined(__GNUC__)
#define DCP_KERNEL DYNCP_ONCE __attribute__((unused)) static
#else
#define DCP_KERNEL static
#endif

/* The table that a dense layer on int8 has for its bias: the kernels of dyncp_dsp.h start from the
 * bias less the sum of the products of the row's neighbouring weights. */
#if DCP_DSP
#define DCP_BIAS(bias, less_products) less_products
#else
#define DCP_BIAS(bias, less_products) bias
#endif

/* The table that a projection of gated hidden channels has for its weights: transposed, as a pruned
 * channel is a column, or in rows, of which the kernels of dyncp_helium.h gather columns. */
#if DCP_HELIUM
#define DCP_COLUMNS(columns, rows) rows
#else
#define DCP_COLUMNS(columns, rows) columns
#endif

/* A layer's integers. Every row of weights is padded with zeros to a multiple of four bytes, so
 * that each starts at a word: a dense layer has weight[rows][dcp_padded(columns)], but that of
 * DCP_COLUMNS may be transposed; a depthwise one has weight[3][dcp_padded(rows)], tap by tap. */
typedef struct {
    const int8_t *weight;      /* aligned as DCP_ALIGNED */
    const int32_t *bias;       /* [rows], by DCP_BIAS; NULL in a layer without */
    const int32_t *multiplier; /* [rows]; NULL in a layer without */
    size_t rows, columns;
} dcp_layer;

static inline size_t dcp_padded(size_t count) {
    return (count + 3) & ~(size_t)3;
}

/* Words of work space that a kernel of a layer with so many columns takes: for widened inputs; on
 * Helium for a list of active channels. */
#define DCP_WORK(columns) (DCP_HELIUM ? 36 : ((columns) + 3) / 4 * 2)

/* What becomes of a row's value. */
typedef enum { DCP_RELU8, DCP_RELU16, DCP_SAT16, DCP_RESIDUAL } dcp_result;

static inline void dcp_put(dcp_result kind, int32_t value, void *y, size_t r) {
    int16_t *wide = (int16_t *)y;
    switch (kind) {
    case DCP_RELU8:
        ((int8_t *)y)[r] = dcp_relu8(value);
        break;
    case DCP_RELU16:
        wide[r] = dcp_relu16(value);
        break;
    case DCP_SAT16:
        wide[r] = dcp_sat16(value);
        break;
    case DCP_RESIDUAL:
    default: /* there is no other */
        wide[r] = dcp_sat16(wide[r] + value);
        break;
    }
}

/* Channel r of the depthwise convolution; h[r] takes the place of oldest[r] in the history. */
static inline int8_t dcp_taps(const dcp_layer *layer, const int8_t *h, int8_t *oldest,
                              const int8_t *middle, size_t r) {
    const int8_t *w = layer->weight + r;
    const size_t tap = dcp_padded(layer->rows);
    const int32_t products = w[0] * oldest[r] + w[tap] * middle[r] + w[2 * tap] * h[r];
    const int32_t sum = dcp_wrap_add(products, layer->bias[r]); /* the history may be corrupted */
    oldest[r] = h[r];
    return dcp_relu8(dcp_rmul(sum, layer->multiplier[r]));
}

#endif
