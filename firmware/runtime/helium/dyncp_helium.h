/* SPDX-License-Identifier: Apache-2.0 */
/* The network's kernels on Helium, the vector extension of Armv8.1-M (Cortex-M55, M85); its integer
 * part is enough. dyncp_portable.h says in C what each computes. Here are pooling and gates; the
 * layers are in the headers included. */
#ifndef DYNCP_HELIUM_H
#define DYNCP_HELIUM_H

#include <string.h>

#include "dyncp_helium_columns.h"
#include "dyncp_helium_dense.h"
#include "dyncp_helium_gated.h"

/* ---- Section 6, block, steps 1 and 2: input and pooling ---- */

static inline void dcp_narrow(int32_t multiplier, const int16_t *x, int8_t *y, size_t count) {
    int32x4_t v;
    __asm__ volatile("wlstp.32 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrh.s32 %q[v], [%[x]], #8\n\t"
                     "vqrdmulh.s32 %q[v], %q[v], %[multiplier]\n\t"
                     "vqmovnb.s32 %q[v], %q[v]\n\t"
                     "vqmovnb.s16 %q[v], %q[v]\n\t"
                     "vstrb.32 %q[v], [%[y]], #4\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [x] "+l"(x), [y] "+l"(y), [v] "=&w"(v)
                     : [count] "r"(count), [multiplier] "r"(multiplier)
                     : "lr", "cc", "memory");
}

static inline void dcp_pool_window(const int8_t *x, int16_t *sum, int8_t *oldest, size_t count) {
    int16x8_t s, in, out;
    __asm__ volatile("wlstp.16 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrb.s16 %q[in], [%[x]], #8\n\t"
                     "vldrh.16 %q[s], [%[sum]]\n\t"
                     "vadd.i16 %q[s], %q[s], %q[in]\n\t"
                     "vldrb.s16 %q[out], [%[oldest]]\n\t"
                     "vsub.i16 %q[s], %q[s], %q[out]\n\t"
                     "vstrb.16 %q[in], [%[oldest]], #8\n\t"
                     "vstrh.16 %q[s], [%[sum]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [x] "+l"(x), [sum] "+r"(sum), [oldest] "+l"(oldest), [s] "=&w"(s),
                       [in] "=&w"(in), [out] "=&w"(out)
                     : [count] "r"(count)
                     : "lr", "cc", "memory");
}

static inline void dcp_pool_ema(int32_t coefficient, const int8_t *x, int16_t *mean, size_t count) {
    int32x4_t m, v;
    __asm__ volatile("wlstp.32 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrb.s32 %q[v], [%[x]], #4\n\t"
                     "vldrh.s32 %q[m], [%[mean]]\n\t"
                     "vshl.i32 %q[v], %q[v], #8\n\t"
                     "vsub.i32 %q[v], %q[v], %q[m]\n\t"
                     "vqrdmulh.s32 %q[v], %q[v], %[coefficient]\n\t"
                     "vadd.i32 %q[m], %q[m], %q[v]\n\t"
                     "vstrh.32 %q[m], [%[mean]], #8\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [x] "+l"(x), [mean] "+l"(mean), [m] "=&w"(m), [v] "=&w"(v)
                     : [count] "r"(count), [coefficient] "r"(coefficient)
                     : "lr", "cc", "memory");
}

static inline void dcp_pool_each(const int32_t *coefficient, const int16_t *x, int16_t *mean,
                                 size_t count) {
    int32x4_t m, v, c;
    __asm__ volatile("wlstp.32 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrh.s32 %q[v], [%[x]], #8\n\t"
                     "vldrh.s32 %q[m], [%[mean]]\n\t"
                     "vldrw.s32 %q[c], [%[coefficient]], #16\n\t"
                     "vsub.i32 %q[v], %q[v], %q[m]\n\t"
                     "vqrdmulh.s32 %q[v], %q[v], %q[c]\n\t"
                     "vadd.i32 %q[m], %q[m], %q[v]\n\t"
                     "vstrh.32 %q[m], [%[mean]], #8\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [x] "+l"(x), [mean] "+l"(mean), [coefficient] "+l"(coefficient),
                       [m] "=&w"(m), [v] "=&w"(v), [c] "=&w"(c)
                     : [count] "r"(count)
                     : "lr", "cc", "memory");
}

/* ---- Section 6, block, step 3: gate ---- */

/* What is left to the next row but three, as dcp_skip, for vectors of eight. */
static inline size_t dcp_skip16(const dcp_layer *layer) {
    return 4 * dcp_padded(layer->columns) - (layer->columns + 7) / 8 * 8;
}

DCP_KERNEL uint32_t dcp_gate(const dcp_layer *layer, const int16_t *x, uint32_t *work, int16_t *y) {
    (void)work;
    const size_t rows = layer->rows, columns = layer->columns, skip = dcp_skip16(layer);
    const int8_t *w[4] = DCP_FIRST_ROWS(layer, dcp_padded(columns));
    const int32_t *bias = layer->bias, *multiplier = layer->multiplier;
    for (size_t groups = rows / 4; groups > 0; groups--) {
        int32_t sum[4];
        bias = dcp_start(bias, sum);
        dcp_dot4_16(x, columns, w, sum);
        dcp_advance(w, skip);
        const int32x4_t v = vqrdmulhq_s32(dcp_vector(sum), vldrwq_s32(multiplier));
        vstrhq_s32(y, dcp_relu16x4(v));
        multiplier += 4;
        y += 4;
    }
    for (size_t left = rows % 4; left > 0; left--) {
        const int32_t sum = dcp_dot16(w[0], x, columns, *bias++);
        *y++ = dcp_relu16(dcp_rmul(sum, *multiplier++));
        w[0] += dcp_padded(columns);
    }
    return (uint32_t)(rows * columns);
}

/* Four rows each time, of 8, 12 or 16 columns, as `columns` says: a constant. The activations stay
 * in registers. Of 12 columns a second vector has the last 8, the first half of them times 0. */
static inline void dcp_score_short(const dcp_layer *layer, const int16_t *x, int32_t *score,
                                   size_t columns) {
    const int8_t *w = layer->weight;
    const int32_t *bias = layer->bias;
    const mve_pred16_t last_half = 0xFF00;
    const int16x8_t x0 = vldrhq_s16(x), x1 = columns == 16   ? vldrhq_s16(x + 8)
                                             : columns == 12 ? vldrhq_z_s16(x + 4, last_half)
                                                             : x0;
    int16x8_t a, b;
    int32_t s0, s1, s2, s3;
#define DCP_MAC(v, r, at, x)                                                                       \
    "vldrb.s16 %q[" #v "], [%[w]" at "\n\t"                                                        \
    "vmladava.s16 %[s" #r "], %q[" #v "], %q[" #x "]\n\t"
#define DCP_SCORES(macs)                                                                           \
    __asm__ volatile(                                                                              \
        "wls lr, %[groups], 2f\n"                                                                  \
        "1:\n\t"                                                                                   \
        "ldrd %[s0], %[s1], [%[bias]], #8\n\t"                                                     \
        "ldrd %[s2], %[s3], [%[bias]], #8\n\t" macs "strd %[s0], %[s1], [%[score]], #8\n\t"        \
        "strd %[s2], %[s3], [%[score]], #8\n\t"                                                    \
        "le lr, 1b\n"                                                                              \
        "2:"                                                                                       \
        : [s0] "=&Te"(s0), [s1] "=&Te"(s1), [s2] "=&Te"(s2), [s3] "=&Te"(s3), [w] "+l"(w),         \
          [bias] "+r"(bias), [score] "+r"(score), [a] "=&w"(a), [b] "=&w"(b)                       \
        : [groups] "r"(layer->rows / 4), [x0] "w"(x0), [x1] "w"(x1)                                \
        : "lr", "cc", "memory")
    if (columns == 16) {
        DCP_SCORES(DCP_MAC(a, 1, ", #16]", x0) DCP_MAC(b, 1, ", #24]", x1)
                       DCP_MAC(a, 2, ", #32]", x0) DCP_MAC(b, 2, ", #40]", x1)
                           DCP_MAC(a, 3, ", #48]", x0) DCP_MAC(b, 3, ", #56]", x1)
                               DCP_MAC(a, 0, ", #8]", x1) DCP_MAC(b, 0, "], #64", x0));
    } else if (columns == 12) {
        DCP_SCORES(DCP_MAC(a, 1, ", #12]", x0) DCP_MAC(b, 1, ", #16]", x1)
                       DCP_MAC(a, 2, ", #24]", x0) DCP_MAC(b, 2, ", #28]", x1)
                           DCP_MAC(a, 3, ", #36]", x0) DCP_MAC(b, 3, ", #40]", x1)
                               DCP_MAC(a, 0, ", #4]", x1) DCP_MAC(b, 0, "], #48", x0));
    } else {
        DCP_SCORES(DCP_MAC(a, 1, ", #8]", x0) DCP_MAC(b, 2, ", #16]", x0)
                       DCP_MAC(a, 3, ", #24]", x0) DCP_MAC(b, 0, "], #32", x0));
    }
#undef DCP_SCORES
#undef DCP_MAC
}

static inline void dcp_score4(const dcp_layer *layer, const int16_t *x, int32_t *score) {
    const size_t columns = layer->columns, skip = dcp_skip16(layer);
    const int8_t *w[4] = DCP_FIRST_ROWS(layer, dcp_padded(columns));
    const int32_t *bias = layer->bias;
    for (size_t groups = layer->rows / 4; groups > 0; groups--) {
        int32_t sum[4];
        bias = dcp_start(bias, sum);
        dcp_dot4_16(x, columns, w, sum);
        dcp_advance(w, skip);
        memcpy(score, sum, sizeof sum);
        score += 4;
    }
}

DCP_KERNEL uint32_t dcp_score(const dcp_layer *layer, size_t columns, const int16_t *x,
                              uint32_t *work, int32_t *score) {
    (void)work;
    if (columns == 16) {
        dcp_score_short(layer, x, score, 16);
    } else if (columns == 12) {
        dcp_score_short(layer, x, score, 12);
    } else if (columns == 8) {
        dcp_score_short(layer, x, score, 8);
    } else {
        dcp_score4(layer, x, score);
    }
    for (size_t r = layer->rows / 4 * 4; r < layer->rows; r++) {
        score[r] = dcp_dot16(layer->weight + r * dcp_padded(columns), x, columns, layer->bias[r]);
    }
    return (uint32_t)(layer->rows * columns);
}

#endif
