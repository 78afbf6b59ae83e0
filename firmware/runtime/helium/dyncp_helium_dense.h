/* SPDX-License-Identifier: Apache-2.0 */
/* Pointwise and depthwise layers on Helium, all channels active.
 *
 * VQRDMULH of 32 bits is dcp_rmul: (2 a m + 2^31) >> 32 = (a m + 2^30) >> 31. */
#ifndef DYNCP_HELIUM_DENSE_H
#define DYNCP_HELIUM_DENSE_H

#include "dyncp_helium_dot.h"

/* ---- Four sums at once, from general registers ---- */

static inline int32x4_t dcp_vector(const int32_t v[4]) {
    int32x4_t vector;
    __asm__("vmov %q0[2], %q0[0], %1, %3\n\t"
            "vmov %q0[3], %q0[1], %2, %4"
            : "=&w"(vector)
            : "r"(v[0]), "r"(v[1]), "r"(v[2]), "r"(v[3]));
    return vector;
}

/* The next four biases, into registers that VMLADAVA takes. Returns what follows them. */
static inline const int32_t *dcp_start(const int32_t *bias, int32_t sum[4]) {
    __asm__ volatile("ldrd %[s0], %[s1], [%[bias]], #8\n\t"
                     "ldrd %[s2], %[s3], [%[bias]], #8"
                     : [s0] "=&Te"(sum[0]), [s1] "=&Te"(sum[1]), [s2] "=&Te"(sum[2]),
                       [s3] "=&Te"(sum[3]), [bias] "+r"(bias)
                     :
                     : "memory");
    return bias;
}

/* Saturates four words to int8 or int16; the low bytes of each are the result. */
static inline int32x4_t dcp_sat16x4(int32x4_t v) {
    __asm__("vqmovnb.s32 %q0, %q0" : "+w"(v));
    return v;
}

/* The same, of what is below 0 as 0: shifted up with saturation, then down again. */
static inline int32x4_t dcp_relu8x4(int32x4_t v) {
    return vreinterpretq_s32_u32(vshrq_n_u32(vqshluq_n_s32(v, 25), 25));
}

static inline int32x4_t dcp_relu16x4(int32x4_t v) {
    return vreinterpretq_s32_u32(vshrq_n_u32(vqshluq_n_s32(v, 17), 17));
}

/* ---- Section 6, ends ---- */

static inline int32_t dcp_row(const dcp_layer *layer, const int8_t *x, size_t r) {
    const int8_t *w = layer->weight + r * dcp_padded(layer->columns);
    return dcp_rmul(dcp_dot8(w, x, layer->columns, layer->bias[r]), layer->multiplier[r]);
}

/* The activations of a layer: so many kept vectors, and the rest. */
#define DCP_KEEP(x, layer, keep)                                                                   \
    int8x16_t kept[DCP_KEPT] = {dcp_kept(x, 0, keep), dcp_kept(x, 1, keep), dcp_kept(x, 2, keep),  \
                                dcp_kept(x, 3, keep), dcp_kept(x, 4, keep), dcp_kept(x, 5, keep)}; \
    const int8_t *const rest = x + keep * DCP_LANES;                                               \
    const size_t left = layer->columns - keep * DCP_LANES

static inline int8x16_t dcp_kept(const int8_t *x, size_t vector, size_t keep) {
    return vector < keep ? vld1q_s8(x + vector * DCP_LANES) : vdupq_n_s8(0);
}

/* Written out, as gcc would keep in memory what a loop fills. */
#define DCP_FIRST_ROWS(layer, row)                                                                 \
    {                                                                                              \
        (layer)->weight, (layer)->weight + (row), (layer)->weight + 2 * (row),                     \
            (layer)->weight + 3 * (row)                                                            \
    }

#define DCP_ROWS_AT(weight, channel, row)                                                          \
    {                                                                                              \
        (weight) + (channel)[0] * (row), (weight) + (channel)[1] * (row),                          \
            (weight) + (channel)[2] * (row), (weight) + (channel)[3] * (row)                       \
    }

static inline void dcp_advance(const int8_t *w[4], size_t bytes) {
    w[0] += bytes;
    w[1] += bytes;
    w[2] += bytes;
    w[3] += bytes;
}

/* Rows by fours. `kind` and `keep` are constants. */
DCP_IN_CODE static inline void dcp_dense4(const dcp_layer *layer, const int8_t *x, dcp_result kind,
                                          void *y, size_t keep) {
    DCP_KEEP(x, layer, keep);
    const size_t skip = dcp_skip(layer), size = kind == DCP_RELU8 ? 1 : 2;
    const int8_t *w[4] = DCP_FIRST_ROWS(layer, dcp_padded(layer->columns));
    const int32_t *bias = layer->bias, *multiplier = layer->multiplier;
    int8_t *at = (int8_t *)y;
    const int8_t *end = at + layer->rows / 4 * 4 * size;
    while (at != end) {
        int32_t sum[4];
        bias = dcp_start(bias, sum);
        dcp_dot4(kept, keep, 0, rest, &left, w, sum);
        dcp_advance(w, skip);
        const int32x4_t v = vqrdmulhq_s32(dcp_vector(sum), vldrwq_s32(multiplier));
        if (kind == DCP_RELU8) {
            vstrbq_s32(at, dcp_relu8x4(v));
        } else {
            vstrhq_s32((int16_t *)(void *)at, dcp_sat16x4(v));
        }
        multiplier += 4;
        at += 4 * size;
    }
}

static inline uint32_t dcp_dense(const dcp_layer *layer, const int8_t *x, dcp_result kind,
                                 void *y) {
    if (dcp_can_keep(layer, DCP_KEPT)) {
        dcp_dense4(layer, x, kind, y, DCP_KEPT);
    } else {
        dcp_dense4(layer, x, kind, y, 0);
    }
    for (size_t r = layer->rows / 4 * 4; r < layer->rows; r++) {
        dcp_put(kind, dcp_row(layer, x, r), y, r);
    }
    return (uint32_t)(layer->rows * layer->columns);
}

DCP_KERNEL uint32_t dcp_back(const dcp_layer *layer, const int8_t *x, uint32_t *work, int16_t *y) {
    (void)work;
    return dcp_dense(layer, x, DCP_SAT16, y);
}

static inline uint32_t dcp_front(const dcp_layer *layer, const int8_t *x, uint32_t *work,
                                 int16_t *y) {
    const uint32_t macs = dcp_back(layer, x, work, y);
    int16x8_t v;
    __asm__ volatile("wlstp.16 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrh.16 %q[v], [%[y]]\n\t"
                     "vmax.s16 %q[v], %q[v], %q[zero]\n\t"
                     "vstrh.16 %q[v], [%[y]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [y] "+r"(y), [v] "=&w"(v)
                     : [count] "r"(layer->rows), [zero] "w"(vdupq_n_s16(0))
                     : "lr", "cc", "memory");
    return macs;
}

/* ---- Section 6, block, steps 4 and 5 ---- */

DCP_KERNEL uint32_t dcp_expand(const dcp_layer *layer, const int8_t *x, uint32_t *work, int8_t *y) {
    (void)work;
    return dcp_dense(layer, x, DCP_RELU8, y);
}

/* Groups of eight channels. Activations are within 0 to 127 (they come from dcp_relu8), so that two
 * products sum to at most 2 * 127 * 128 in magnitude: they fit int16. Words hold the even and the
 * odd channels apart. */
static inline void dcp_taps8(const dcp_layer *layer, int8_t *h, int8_t *oldest,
                             const int8_t *middle, size_t groups) {
    const size_t tap = dcp_padded(layer->rows);
    const int8_t *w0 = layer->weight, *w1 = w0 + tap, *w2 = w1 + tap;
    const int32_t *bias = layer->bias, *multiplier = layer->multiplier;
    __asm__ volatile(
        "vmov.i16 q6, #127\n\t"
        "ldr lr, %[groups]\n\t"
        "wls lr, lr, 2f\n"
        "1:\n\t"
        "vldrb.s16 q0, [%[oldest]]\n\t"
        "vldrb.s16 q1, [%[w0]], #8\n\t"
        "vmul.i16 q0, q0, q1\n\t"
        "vldrb.s16 q1, [%[middle]], #8\n\t"
        "vldrb.s16 q2, [%[w1]], #8\n\t"
        "vmul.i16 q1, q1, q2\n\t"
        "vldrb.s16 q2, [%[h]]\n\t"
        "vadd.i16 q0, q0, q1\n\t"
        "vldrb.s16 q1, [%[w2]], #8\n\t"
        "vmullb.s16 q3, q1, q2\n\t"
        "vstrb.16 q2, [%[oldest]], #8\n\t"
        "vmullt.s16 q1, q1, q2\n\t"
        "vld20.32 {q4, q5}, [%[bias]]\n\t"
        "vmovlb.s16 q2, q0\n\t"
        "vld21.32 {q4, q5}, [%[bias]]!\n\t"
        "vmovlt.s16 q0, q0\n\t"
        "vadd.i32 q3, q3, q2\n\t"
        "vadd.i32 q1, q1, q0\n\t"
        "vadd.i32 q3, q3, q4\n\t"
        "vadd.i32 q1, q1, q5\n\t"
        "vld20.32 {q4, q5}, [%[multiplier]]\n\t"
        "vld21.32 {q4, q5}, [%[multiplier]]!\n\t"
        "vqrdmulh.s32 q3, q3, q4\n\t"
        "vqrdmulh.s32 q1, q1, q5\n\t"
        "vqmovunb.s32 q0, q3\n\t"
        "vqmovunt.s32 q0, q1\n\t"
        "vmin.u16 q0, q0, q6\n\t"
        "vstrb.16 q0, [%[h]], #8\n\t"
        "le lr, 1b\n"
        "2:"
        : [w0] "+l"(w0), [w1] "+l"(w1), [w2] "+l"(w2), [h] "+l"(h), [oldest] "+l"(oldest),
          [middle] "+l"(middle), [bias] "+h"(bias), [multiplier] "+h"(multiplier)
        : [groups] "m"(groups)
        : "lr", "cc", "memory", "q0", "q1", "q2", "q3", "q4", "q5", "q6");
}

DCP_KERNEL uint32_t dcp_depthwise(const dcp_layer *layer, int8_t *h, int8_t *oldest,
                                  const int8_t *middle) {
    dcp_taps8(layer, h, oldest, middle, layer->rows / 8);
    for (size_t r = layer->rows / 8 * 8; r < layer->rows; r++) {
        h[r] = dcp_taps(layer, h, oldest, middle, r);
    }
    return (uint32_t)(3 * layer->rows);
}

#endif
