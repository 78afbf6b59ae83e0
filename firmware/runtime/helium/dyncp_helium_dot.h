/* SPDX-License-Identifier: Apache-2.0 */
/* Dot products on Helium: four rows of weights share each load of the activations, and low-overhead
 * loops leave no tail, for the last vector is predicated.
 *
 * Rows of weights start at words, activations anywhere; no byte beyond a row's columns is read. */
#ifndef DYNCP_HELIUM_DOT_H
#define DYNCP_HELIUM_DOT_H

#include <arm_mve.h>

#include "dyncp_layers.h"

/* Vectors of the first activations that stay in registers for all rows of a layer: at most six, as
 * weights and the rest of the activations take two. Kernels exist for six, some for three, and for
 * none. */
enum { DCP_KEPT = 6, DCP_LANES = 16 };

static inline int dcp_can_keep(const dcp_layer *layer, size_t vectors) {
    return layer->columns >= vectors * DCP_LANES;
}

/* What is left in a row's pointer to the next row but three, once dcp_dot4 has passed the row. */
static inline size_t dcp_skip(const dcp_layer *layer) {
    const size_t passed = (layer->columns + DCP_LANES - 1) / DCP_LANES * DCP_LANES;
    return 4 * dcp_padded(layer->columns) - passed;
}

/* Weights of row r to vector v; vector v times activations x is, or goes to, the sum of row r. */
#define DCP_LOAD(v, r) "vldrb.8 %q[" #v "], [%[w" #r "]], #16\n\t"
#define DCP_MUL(r, v, x) "vmladav.s8 %[s" #r "], %q[" #v "], %q[" #x "]\n\t"
#define DCP_MAC(r, v, x) "vmladava.s8 %[s" #r "], %q[" #v "], %q[" #x "]\n\t"

/* One kept vector in all rows. Loads run one product ahead, as Helium overlaps one with the other:
 * rows 0 and 1 are loaded by the step before. */
#define DCP_STEP(product, x)                                                                       \
    product(0, a, x) DCP_LOAD(a, 2) product(1, b, x) DCP_LOAD(b, 3) product(2, a, x)               \
        DCP_LOAD(a, 0) product(3, b, x) DCP_LOAD(b, 1)
#define DCP_LAST_STEP(x)                                                                           \
    DCP_MAC(0, a, x)                                                                               \
    DCP_LOAD(a, 2) DCP_MAC(1, b, x) DCP_LOAD(b, 3) DCP_MAC(2, a, x) DCP_MAC(3, b, x)

#define DCP_DOT4_KEPT(steps, sums)                                                                 \
    __asm__ volatile(DCP_LOAD(a, 0) DCP_LOAD(b, 1) steps                                           \
                     : [s0] sums(sum[0]), [s1] sums(sum[1]), [s2] sums(sum[2]), [s3] sums(sum[3]), \
                       [w0] "+r"(w[0]), [w1] "+r"(w[1]), [w2] "+r"(w[2]), [w3] "+r"(w[3]),         \
                       [a] "=&w"(a), [b] "=&w"(b)                                                  \
                     : [x0] "w"(kept[0]), [x1] "w"(kept[1]), [x2] "w"(kept[2]), [x3] "w"(kept[3]), \
                       [x4] "w"(kept[4]), [x5] "w"(kept[5])                                        \
                     : "memory")
#define DCP_3_STEPS(first) DCP_STEP(first, x0) DCP_STEP(DCP_MAC, x1) DCP_LAST_STEP(x2)
#define DCP_6_STEPS(first)                                                                         \
    DCP_STEP(first, x0)                                                                            \
    DCP_STEP(DCP_MAC, x1)                                                                          \
    DCP_STEP(DCP_MAC, x2) DCP_STEP(DCP_MAC, x3) DCP_STEP(DCP_MAC, x4) DCP_LAST_STEP(x5)

/* sum[r] += w[r] * x for four rows, whose pointers advance by the columns, to whole vectors; with
 * `fresh`, sum[r] = w[r] * x. The first `keep` vectors of activations are in `kept`. */
static inline void dcp_dot4(const int8x16_t kept[DCP_KEPT], size_t keep, int fresh, const int8_t *x,
                            const size_t *left, const int8_t *w[4], int32_t sum[4]) {
    int8x16_t a, b;
    if (keep == DCP_KEPT && fresh) {
        DCP_DOT4_KEPT(DCP_6_STEPS(DCP_MUL), "=&Te");
    } else if (keep == DCP_KEPT) {
        DCP_DOT4_KEPT(DCP_6_STEPS(DCP_MAC), "+Te");
    } else if (keep == DCP_KEPT / 2) {
        DCP_DOT4_KEPT(DCP_3_STEPS(DCP_MUL), "=&Te");
    } else if (fresh) {
        sum[0] = sum[1] = sum[2] = sum[3] = 0;
    }
    __asm__ volatile("ldr lr, %[left]\n\t"
                     "wlstp.8 lr, lr, 2f\n"
                     "1:\n\t"
                     "vldrb.8 %q[a], [%[x]], #16\n\t" DCP_LOAD(b, 0) DCP_MAC(0, b, a) DCP_LOAD(b, 1)
                         DCP_MAC(1, b, a) DCP_LOAD(b, 2) DCP_MAC(2, b, a) DCP_LOAD(b, 3)
                             DCP_MAC(3, b, a) "letp lr, 1b\n"
                                              "2:"
                     : [s0] "+Te"(sum[0]), [s1] "+Te"(sum[1]), [s2] "+Te"(sum[2]),
                       [s3] "+Te"(sum[3]), [w0] "+r"(w[0]), [w1] "+r"(w[1]), [w2] "+r"(w[2]),
                       [w3] "+r"(w[3]), [x] "+r"(x), [a] "=&w"(a), [b] "=&w"(b)
                     : [left] "m"(*left)
                     : "lr", "cc", "memory");
}

/* The same for one row. */
static inline int32_t dcp_dot8(const int8_t *w, const int8_t *x, size_t count, int32_t sum) {
    int8x16_t a, b;
    __asm__ volatile("wlstp.8 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrb.8 %q[a], [%[x]], #16\n\t"
                     "vldrb.8 %q[b], [%[w]], #16\n\t"
                     "vmladava.s8 %[sum], %q[b], %q[a]\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [sum] "+Te"(sum), [w] "+r"(w), [x] "+r"(x), [a] "=&w"(a), [b] "=&w"(b)
                     : [count] "r"(count)
                     : "lr", "cc", "memory");
    return sum;
}

#undef DCP_LOAD
#undef DCP_MUL
#undef DCP_MAC
#undef DCP_STEP
#undef DCP_LAST_STEP
#undef DCP_3_STEPS
#undef DCP_6_STEPS
#undef DCP_DOT4_KEPT

#define DCP_ROW16(r)                                                                               \
    "vldrb.s16 %q[b], [%[w" #r "]], #8\n\t"                                                        \
    "vmladava.s16 %[s" #r "], %q[b], %q[a]\n\t"

/* sum[r] += w[r] * x for four rows of int16 activations; the pointers advance to whole vectors of
 * eight. */
static inline void dcp_dot4_16(const int16_t *x, size_t count, const int8_t *w[4], int32_t sum[4]) {
    int16x8_t a, b;
    __asm__ volatile("wlstp.16 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrh.16 %q[a], [%[x]], #16\n\t" DCP_ROW16(0) DCP_ROW16(1) DCP_ROW16(2)
                         DCP_ROW16(3) "letp lr, 1b\n"
                                      "2:"
                     : [s0] "+Te"(sum[0]), [s1] "+Te"(sum[1]), [s2] "+Te"(sum[2]),
                       [s3] "+Te"(sum[3]), [w0] "+l"(w[0]), [w1] "+l"(w[1]), [w2] "+l"(w[2]),
                       [w3] "+l"(w[3]), [x] "+r"(x), [a] "=&w"(a), [b] "=&w"(b)
                     : [count] "r"(count)
                     : "lr", "cc", "memory");
}

static inline int32_t dcp_dot16(const int8_t *w, const int16_t *x, size_t count, int32_t sum) {
    int16x8_t a, b;
    __asm__ volatile("wlstp.16 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrh.16 %q[a], [%[x]], #16\n\t"
                     "vldrb.s16 %q[b], [%[w]], #8\n\t"
                     "vmladava.s16 %[sum], %q[b], %q[a]\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [sum] "+Te"(sum), [w] "+l"(w), [x] "+r"(x), [a] "=&w"(a), [b] "=&w"(b)
                     : [count] "r"(count)
                     : "lr", "cc", "memory");
    return sum;
}

#undef DCP_ROW16

#endif
