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
#include "dyncp_layers.h"
#include "dyncp_simd.h"

/* ---- Inputs in the order of the inner products: of four, 1 and 3 in a word, then 0 and 2 ---- */

/* Returns the sum of the products of neighbours. */
static inline uint32_t dcp_widen(const int8_t *x, size_t count, uint32_t *work) {
    uint32_t products = 0, rest = 0;
    for (; count >= 4; count -= 4, x += 4, work += 2) {
        const uint32_t four = dcp_load32(x);
        work[0] = dcp_odd(four);
        work[1] = dcp_even(four);
        products = dcp_mac_both(work[0], work[1], products);
    }
    if (count > 0) {
        memcpy(&rest, x, count);
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
        memcpy(rest, x, count * sizeof *x);
        work[0] = dcp_upper(rest[0], rest[1]);
        work[1] = dcp_lower(rest[0], rest[1]);
    }
}

/* ---- Inner products of two rows, a and b ---- */

/* In the two registers that 64 bits come back in. */
static inline uint64_t dcp_both(uint32_t a, uint32_t b) {
    return (uint64_t)b << 32 | a;
}

#if DCP_SIMD
/* Eight columns of one row: r4, r5, r6 and r8 hold the inputs. r7 is left out, for it may be the
 * frame pointer. */
#define DCP_PAIRED_ROW(weight, sum)                                                                \
    "ldrd r9, r10, [" weight "], #8\n\t"                                                           \
    "sxtab16 r11, r4, r9\n\t"                                                                      \
    "sxtab16 r9, r5, r9, ror #8\n\t"                                                               \
    "smlad " sum ", r11, r9, " sum "\n\t"                                                          \
    "sxtab16 r11, r6, r10\n\t"                                                                     \
    "sxtab16 r10, r8, r10, ror #8\n\t"                                                             \
    "smlad " sum ", r11, r10, " sum "\n\t"
#define DCP_WIDE_ROW(weight, sum)                                                                  \
    "ldrd r9, r10, [" weight "], #8\n\t"                                                           \
    "sxtb16 r11, r9\n\t"                                                                           \
    "sxtb16 r9, r9, ror #8\n\t"                                                                    \
    "smlad " sum ", r5, r11, " sum "\n\t"                                                          \
    "smlad " sum ", r4, r9, " sum "\n\t"                                                           \
    "sxtb16 r11, r10\n\t"                                                                          \
    "sxtb16 r10, r10, ror #8\n\t"                                                                  \
    "smlad " sum ", r8, r11, " sum "\n\t"                                                          \
    "smlad " sum ", r6, r10, " sum "\n\t"
#define DCP_8(row) "ldmia %[x]!, {r4, r5, r6, r8}\n\t" row("%[a]", "%[s]") row("%[b]", "%[t]")
#define DCP_16(row) DCP_8(row) DCP_8(row)
#define DCP_32(row) DCP_16(row) DCP_16(row)
#define DCP_RUN(columns)                                                                           \
    __asm__(columns                                                                                \
            : [x] "+&r"(x), [a] "+&r"(a), [b] "+&r"(b), [s] "+&r"(s), [t] "+&r"(t)                 \
            :                                                                                      \
            : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "memory")
#endif

/* `words` * 4 columns of int8, in pairs: each sum is too large by that of dcp_widen and by that of
 * the row's own products. */
DCP_KERNEL uint64_t dcp_paired(const uint32_t *x, size_t words, const int8_t *a, const int8_t *b) {
    uint32_t s = 0, t = 0;
#if DCP_SIMD
    for (size_t n = words / 8; n > 0; n--) {
        DCP_RUN(DCP_32(DCP_PAIRED_ROW));
    }
    if ((words & 4) != 0) {
        DCP_RUN(DCP_16(DCP_PAIRED_ROW));
    }
    words &= 3;
#endif
    for (; words > 0; words--, x += 2, a += 4, b += 4) {
        const uint32_t wa = dcp_load32(a), wb = dcp_load32(b);
        s = dcp_mac_both(dcp_add_even(x[0], wa), dcp_add_odd(x[1], wa), s);
        t = dcp_mac_both(dcp_add_even(x[0], wb), dcp_add_odd(x[1], wb), t);
    }
    return dcp_both(s, t);
}

/* Four columns of int16. */
static inline uint32_t dcp_wide4(const uint32_t *x, uint32_t weights, uint32_t sum) {
    return dcp_mac_both(x[0], dcp_odd(weights), dcp_mac_both(x[1], dcp_even(weights), sum));
}

/* The same of int16, which leave no room to add to them; these sums are exact. */
DCP_KERNEL uint64_t dcp_wide(const uint32_t *x, size_t words, const int8_t *a, const int8_t *b) {
    uint32_t s = 0, t = 0;
#if DCP_SIMD
    for (size_t n = words / 4; n > 0; n--) {
        DCP_RUN(DCP_16(DCP_WIDE_ROW));
    }
    words &= 3;
#endif
    for (; words > 0; words--, x += 2, a += 4, b += 4) {
        s = dcp_wide4(x, dcp_load32(a), s);
        t = dcp_wide4(x, dcp_load32(b), t);
    }
    return dcp_both(s, t);
}

/* ---- Dense layers on int8 ---- */

static inline int32_t dcp_scaled(uint32_t sum, int32_t bias, int32_t multiplier) {
    return dcp_rmul((int32_t)(sum + (uint32_t)bias), multiplier);
}

typedef uint64_t dcp_dots(const uint32_t *x, size_t words, const int8_t *a, const int8_t *b);

/* All rows, two at a time; their sums are too large by `excess`. */
static inline uint32_t dcp_all_rows(const dcp_layer *layer, dcp_result kind, dcp_dots *dots,
                                    uint32_t excess, const uint32_t *work, void *y) {
    const size_t rows = layer->rows, columns = layer->columns, words = dcp_padded(columns) / 4;
    const int8_t *w = layer->weight;
    const int32_t *bias = layer->bias, *m = layer->multiplier;
    uint32_t macs = 0;
    size_t r = 0;
    for (; r + 1 < rows; r += 2) {
        const uint64_t sums = dots(work, words, w, w + 4 * words);
        dcp_put(kind, dcp_scaled((uint32_t)sums - excess, bias[r], m[r]), y, r);
        dcp_put(kind, dcp_scaled((uint32_t)(sums >> 32) - excess, bias[r + 1], m[r + 1]), y, r + 1);
        w += 8 * words;
        macs += (uint32_t)(2 * columns);
    }
    if (r < rows) {
        const uint64_t sums = dots(work, words, w, w);
        dcp_put(kind, dcp_scaled((uint32_t)sums - excess, bias[r], m[r]), y, r);
        macs += (uint32_t)columns;
    }
    return macs;
}

static inline uint32_t dcp_front(const dcp_layer *layer, const int8_t *x, uint32_t *work,
                                 int16_t *y) {
    const uint32_t excess = dcp_widen(x, layer->columns, work);
    return dcp_all_rows(layer, DCP_RELU16, dcp_paired, excess, work, y);
}

static inline uint32_t dcp_back(const dcp_layer *layer, const int8_t *x, uint32_t *work,
                                int16_t *y) {
    const uint32_t excess = dcp_widen(x, layer->columns, work);
    return dcp_all_rows(layer, DCP_SAT16, dcp_paired, excess, work, y);
}

DCP_KERNEL uint32_t dcp_expand(const dcp_layer *layer, const int8_t *x, uint32_t *work, int8_t *y) {
    const uint32_t excess = dcp_widen(x, layer->columns, work);
    return dcp_all_rows(layer, DCP_RELU8, dcp_paired, excess, work, y);
}

/* The active rows, two at a time as they come; the last one alone if it has no other. */
static inline uint32_t dcp_active_rows(const dcp_layer *layer, dcp_result kind,
                                       const uint32_t *mask, const int8_t *x, uint32_t *work,
                                       void *y) {
    const size_t columns = layer->columns, words = dcp_padded(columns) / 4;
    const uint32_t excess = dcp_widen(x, columns, work);
    const int8_t *const weight = layer->weight, *waiting = NULL;
    const int32_t *bias = layer->bias, *m = layer->multiplier;
    const size_t rows = layer->rows;
    size_t first = 0;
    uint32_t macs = 0;
    for (size_t base = 0; base < rows; base += 32) {
        for (uint32_t bits = mask[base / 32]; bits != 0; bits &= bits - 1) {
            const size_t r = base + dcp_lowest(bits);
            const int8_t *w = weight + 4 * words * r;
            macs += (uint32_t)columns;
            if (waiting == NULL) {
                waiting = w;
                first = r;
                continue;
            }
            const uint64_t sums = dcp_paired(work, words, waiting, w);
            dcp_put(kind, dcp_scaled((uint32_t)sums - excess, bias[first], m[first]), y, first);
            dcp_put(kind, dcp_scaled((uint32_t)(sums >> 32) - excess, bias[r], m[r]), y, r);
            waiting = NULL;
        }
    }
    if (waiting != NULL) {
        const uint64_t sums = dcp_paired(work, words, waiting, waiting);
        dcp_put(kind, dcp_scaled((uint32_t)sums - excess, bias[first], m[first]), y, first);
    }
    return macs;
}

DCP_KERNEL uint32_t dcp_project_rows(const dcp_layer *layer, const uint32_t *mask, const int8_t *h,
                                     uint32_t *work, int16_t *residual) {
    return dcp_active_rows(layer, DCP_RESIDUAL, mask, h, work, residual);
}

DCP_KERNEL uint32_t dcp_expand_gated(const dcp_layer *layer, const uint32_t *mask, const int8_t *x,
                                     uint32_t *work, int8_t *y) {
    memset(y, 0, layer->rows);
    return dcp_active_rows(layer, DCP_RELU8, mask, x, work, y);
}

/* ---- Dense layers on int16 ---- */

DCP_KERNEL uint32_t dcp_gate(const dcp_layer *layer, const int16_t *x, uint32_t *work, int16_t *y) {
    dcp_reorder(x, layer->columns, work);
    return dcp_all_rows(layer, DCP_RELU16, dcp_wide, 0, work, y);
}

/* Rows of `words` * 4 columns, few and known to the compiler: all inputs stay in registers. */
static inline uint32_t dcp_short_rows(const dcp_layer *layer, const uint32_t *work, size_t words,
                                      int32_t *sum) {
    const int8_t *w = layer->weight;
    const int32_t *bias = layer->bias;
    uint32_t macs = 0, x[8];
    memcpy(x, work, 8 * words);
    for (const int32_t *end = sum + layer->rows; sum != end; w += 4 * words) {
        uint32_t s = (uint32_t)*bias++;
        for (size_t k = 0; k < words; k++) {
            s = dcp_wide4(x + 2 * k, dcp_load32(w + 4 * k), s);
        }
        *sum++ = (int32_t)s;
        macs += (uint32_t)layer->columns;
    }
    return macs;
}

DCP_KERNEL uint32_t dcp_score(const dcp_layer *layer, const int16_t *x, uint32_t *work,
                              int32_t *score) {
    const size_t rows = layer->rows, columns = layer->columns, words = dcp_padded(columns) / 4;
    const int8_t *w = layer->weight;
    const int32_t *bias = layer->bias;
    uint32_t macs = 0;
    dcp_reorder(x, columns, work);
    if (words == 2) {
        return dcp_short_rows(layer, work, 2, score);
    }
    if (words == 4) {
        return dcp_short_rows(layer, work, 4, score);
    }
    size_t r = 0;
    for (; r + 1 < rows; r += 2, w += 8 * words) {
        const uint64_t sums = dcp_wide(work, words, w, w + 4 * words);
        score[r] = (int32_t)(uint32_t)sums + bias[r];
        score[r + 1] = (int32_t)(uint32_t)(sums >> 32) + bias[r + 1];
        macs += (uint32_t)(2 * columns);
    }
    if (r < rows) {
        score[r] = (int32_t)(uint32_t)dcp_wide(work, words, w, w) + bias[r];
        macs += (uint32_t)columns;
    }
    return macs;
}

#endif
