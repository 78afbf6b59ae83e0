/* SPDX-License-Identifier: Apache-2.0 */
/* The network's kernels for Armv7E-M and Armv8-M cores with the DSP extension: docs/kernels.md.
 *
 * A dense layer on int8 multiplies weights in pairs. With two inputs and two weights,
 *     w0 x0 + w1 x1 = (x1 + w0) (x0 + w1) - x0 x1 - w0 w1
 * where SXTAB16 unpacks and adds at once, the sum of x0 x1 is the same for every row, and that of
 * w0 w1 has been subtracted from the row's bias (DCP_BIAS). */
#ifndef DYNCP_DSP_H
#define DYNCP_DSP_H

#include "dyncp_dsp_channels.h"
#include "dyncp_dsp_pairs.h"
#include "dyncp_layers.h"
#include "dyncp_simd.h"

/* ---- Inputs in the order of the inner products: of four, 1 and 3 in a word, then 0 and 2 ---- */

/* Returns the sum of the products of neighbours. */
DCP_KERNEL uint32_t dcp_widen(const int8_t *x, size_t count, uint32_t *work) {
    uint32_t products = 0, rest = 0;
#if DCP_SIMD
    for (; count >= 8; count -= 8) {
        __asm__ volatile("ldr r5, [%[x]], #4\n\tldr r8, [%[x]], #4\n\t"
                         "sxtb16 r4, r5, ror #8\n\tsxtb16 r5, r5\n\t"
                         "sxtb16 r6, r8, ror #8\n\tsxtb16 r8, r8\n\t"
                         "stmia %[work]!, {r4, r5, r6, r8}\n\t"
                         "smlad %[products], r4, r5, %[products]\n\t"
                         "smlad %[products], r6, r8, %[products]"
                         : [x] "+&r"(x), [work] "+&r"(work), [products] "+&r"(products)
                         :
                         : "r4", "r5", "r6", "r8", "memory");
    }
#endif
    for (; count >= 4; count -= 4, x += 4, work += 2) {
        const uint32_t four = dcp_load32(x);
        work[0] = dcp_odd(four);
        work[1] = dcp_even(four);
        products = dcp_mac_both(work[0], work[1], products);
    }
    if (count > 0) {
        (void)memcpy(&rest, x, count);
        work[0] = dcp_odd(rest);
        work[1] = dcp_even(rest);
    }
    return dcp_mac_both(dcp_odd(rest), dcp_even(rest), products);
}

static inline void dcp_reorder(const int16_t *x, size_t count, uint32_t *work) {
    for (; count >= 4; count -= 4, x += 4, work += 2) {
        const uint32_t first = dcp_load32(x), second = dcp_load32(x + 2);
        work[0] = dcp_upper(first, second);
        work[1] = dcp_lower(first, second);
    }
    if (count > 0) {
        uint32_t rest[2] = {0, 0};
        (void)memcpy(rest, x, count * sizeof *x);
        work[0] = dcp_upper(rest[0], rest[1]);
        work[1] = dcp_lower(rest[0], rest[1]);
    }
}

/* ---- Dense layers on int8 ---- */

/* Row r, from the sum of its products. */
static inline void dcp_put_row(const dcp_layer *layer, dcp_result kind, size_t r, uint32_t sum,
                               void *y) {
    const int32_t total = (int32_t)(sum + (uint32_t)layer->bias[r]);
    dcp_put(kind, dcp_rmul(total, layer->multiplier[r]), y, r);
}

/* Inputs and sums of a layer; sums are too large by that of dcp_widen and by that of the row's own
 * products. */
static inline dcp_run dcp_narrow_run(const dcp_layer *layer, const int8_t *x, uint32_t *work) {
    const uint32_t excess = dcp_widen(x, layer->columns, work);
    return dcp_run_of(work, layer->columns, 0u - excess, DCP_PAIRED_CODE);
}

/* All rows: two at a time, and what is left. */
DCP_IN_CODE static inline uint32_t dcp_narrow_rows(const dcp_layer *layer, dcp_result kind,
                                                   const int8_t *x, uint32_t *work, void *y) {
    const dcp_run run = dcp_narrow_run(layer, x, work);
    const size_t rows = layer->rows, columns = layer->columns, stride = dcp_padded(columns);
    size_t r = 0;
#if DCP_SIMD
    if (rows >= 2) {
        r = rows / 2 * 2;
        if (kind == DCP_RELU8) {
            dcp_all_relu8(layer, run, y, (int8_t *)y + r);
        } else {
            dcp_all_sat16(layer, run, y, (int16_t *)y + r);
        }
    }
#endif
    for (; r < rows; r++) {
        const int8_t *w = layer->weight + (r * stride);
        dcp_put_row(layer, kind, r, dcp_paired(work, w, columns, run.start), y);
    }
    return (uint32_t)(rows * columns);
}

DCP_KERNEL uint32_t dcp_back(const dcp_layer *layer, const int8_t *x, uint32_t *work, int16_t *y) {
    return dcp_narrow_rows(layer, DCP_SAT16, x, work, y);
}

static inline uint32_t dcp_front(const dcp_layer *layer, const int8_t *x, uint32_t *work,
                                 int16_t *y) {
    const uint32_t macs = dcp_back(layer, x, work, y);
    const size_t rows = layer->rows, pairs = rows / 2;
    for (size_t n = 0; n < pairs; n++) {
        dcp_store32(y + 2 * n, dcp_relu16_both(dcp_load32(y + 2 * n)));
    }
    if (rows % 2 != 0) {
        y[rows - 1] = dcp_relu16(y[rows - 1]);
    }
    return macs;
}

DCP_KERNEL uint32_t dcp_expand(const dcp_layer *layer, const int8_t *x, uint32_t *work, int8_t *y) {
    return dcp_narrow_rows(layer, DCP_RELU8, x, work, y);
}

/* The active rows, two at a time as they come; the last one alone if it has no other. */
static inline uint32_t dcp_active_rows(const dcp_layer *layer, dcp_result kind,
                                       const uint32_t *mask, const int8_t *x, uint32_t *work,
                                       void *y) {
    const dcp_run run = dcp_narrow_run(layer, x, work);
    const size_t rows = layer->rows, columns = layer->columns, stride = dcp_padded(columns);
    uint32_t active = 0;
    for (size_t word = 0; word < (rows + 31) / 32; word++) {
        active += dcp_popcount(mask[word]);
    }
#if DCP_SIMD
    const size_t last = kind == DCP_RELU8 ? dcp_active_relu8(layer, run, mask, y)
                                          : dcp_active_residual(layer, run, mask, y);
    if (active % 2 != 0) {
        const int8_t *w = layer->weight + last * stride;
        dcp_put_row(layer, kind, last, dcp_paired(work, w, columns, run.start), y);
    }
#else
    for (size_t r = 0; r < rows; r++) {
        if (dcp_is_active(mask, r) != 0) {
            const int8_t *w = layer->weight + (r * stride);
            dcp_put_row(layer, kind, r, dcp_paired(work, w, columns, run.start), y);
        }
    }
#endif
    return active * (uint32_t)columns;
}

DCP_KERNEL uint32_t dcp_project_rows(const dcp_layer *layer, const uint32_t *mask, const int8_t *h,
                                     uint32_t *work, int16_t *residual) {
    return dcp_active_rows(layer, DCP_RESIDUAL, mask, h, work, residual);
}

DCP_KERNEL uint32_t dcp_expand_gated(const dcp_layer *layer, const uint32_t *mask, const int8_t *x,
                                     uint32_t *work, int8_t *y) {
    (void)memset(y, 0, layer->rows);
    return dcp_active_rows(layer, DCP_RELU8, mask, x, work, y);
}

/* ---- Dense layers on int16 ---- */

DCP_KERNEL uint32_t dcp_gate(const dcp_layer *layer, const int16_t *x, uint32_t *work, int16_t *y) {
    const size_t rows = layer->rows, columns = layer->columns, stride = dcp_padded(columns);
    size_t r = 0;
    dcp_reorder(x, columns, work);
#if DCP_SIMD
    if (rows >= 2) {
        r = rows / 2 * 2;
        dcp_all_wide(layer, dcp_run_of(work, columns, 0, DCP_WIDE_CODE), y, y + r);
    }
#endif
    for (; r < rows; r++) {
        const int8_t *w = layer->weight + (r * stride);
        dcp_put_row(layer, DCP_RELU16, r, dcp_wide(work, w, columns, 0), y);
    }
    return (uint32_t)(rows * columns);
}

/* Sums of a row of `words` * 4 columns. */
static inline int32_t dcp_short_row(const uint32_t *x, const int8_t *w, size_t words,
                                    int32_t bias) {
    uint32_t sum = (uint32_t)bias;
    for (size_t k = 0; k < words; k++) {
        sum = dcp_wide4(x + 2 * k, dcp_load32(w + 4 * k), sum);
    }
    return (int32_t)sum;
}

/* Rows whose columns are few and known to the compiler: all inputs stay in registers. */
static inline uint32_t dcp_short_rows(const dcp_layer *layer, const uint32_t *work, size_t words,
                                      int32_t *sum) {
    const int8_t *w = layer->weight;
    const int32_t *bias = layer->bias;
    uint32_t x[8];
    (void)memcpy(x, work, 8 * words);
    size_t r = layer->rows;
    for (; r >= 4; r -= 4, w += 16 * words, bias += 4, sum += 4) {
        sum[0] = dcp_short_row(x, w, words, bias[0]);
        sum[1] = dcp_short_row(x, w + 4 * words, words, bias[1]);
        sum[2] = dcp_short_row(x, w + 8 * words, words, bias[2]);
        sum[3] = dcp_short_row(x, w + 12 * words, words, bias[3]);
    }
    for (; r > 0; r--, w += 4 * words) {
        *sum++ = dcp_short_row(x, w, words, *bias++);
    }
    return (uint32_t)(layer->rows * layer->columns);
}

DCP_KERNEL uint32_t dcp_score(const dcp_layer *layer, size_t columns, const int16_t *x,
                              uint32_t *work, int32_t *score) {
    const size_t rows = layer->rows, words = dcp_padded(columns) / 4;
    const int8_t *w = layer->weight;
    const int32_t *bias = layer->bias;
    dcp_reorder(x, columns, work);
    if (words == 2) {
        return dcp_short_rows(layer, work, 2, score);
    }
    if (words == 3) {
        return dcp_short_rows(layer, work, 3, score);
    }
    if (words == 4) {
        return dcp_short_rows(layer, work, 4, score);
    }
    for (size_t r = 0; r < rows; r++, w += 4 * words) {
        score[r] = (int32_t)dcp_wide(work, w, columns, (uint32_t)bias[r]);
    }
    return (uint32_t)(rows * columns);
}

#endif
