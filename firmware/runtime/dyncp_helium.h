/* SPDX-License-Identifier: Apache-2.0 */
/* The network's kernels on Helium, the vector extension of Armv8.1-M (Cortex-M55, M85). Its integer
 * part is enough. dyncp_portable.h says in C what each computes.
 *
 * VQRDMULH of 32 bits is dcp_rmul: (2 a m + 2^31) >> 32 = (a m + 2^30) >> 31. */
#ifndef DYNCP_HELIUM_H
#define DYNCP_HELIUM_H

#include <string.h>

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

/* ---- Active channels, one after the other ---- */

typedef struct {
    const uint32_t *mask;
    uint32_t bits;  /* of *mask, those not yet taken, channel 0 first */
    uint32_t first; /* channel of *mask's bit 0 */
} dcp_walk;

static inline uint32_t dcp_reversed(uint32_t v) {
    __asm__("rbit %0, %0" : "+r"(v));
    return v;
}

static inline dcp_walk dcp_walk_of(const uint32_t *mask) {
    const dcp_walk walk = {mask, dcp_reversed(*mask), 0};
    return walk;
}

/* The next active channel; there must be one. */
static inline uint32_t dcp_next(dcp_walk *walk) {
    while (walk->bits == 0) {
        walk->mask += 1;
        walk->bits = dcp_reversed(*walk->mask);
        walk->first += 32;
    }
    const uint32_t bit = (uint32_t)__builtin_clz(walk->bits);
    walk->bits ^= 0x80000000u >> bit;
    /* Hides from the compiler what it knows of the bits, or it copies all that follows. */
    __asm__("" : "+r"(walk->bits));
    return walk->first + bit;
}

DYNCP_ONCE static size_t dcp_count(const uint32_t *mask, size_t channels) {
    size_t count = 0;
    for (size_t word = 0; word < (channels + 31) / 32; word++) {
        count += dcp_popcount(mask[word]);
    }
    return count;
}

/* The next four. */
static inline void dcp_next4(dcp_walk *walk, uint32_t channel[4]) {
    channel[0] = dcp_next(walk);
    channel[1] = dcp_next(walk);
    channel[2] = dcp_next(walk);
    channel[3] = dcp_next(walk);
}

/* ---- Section 6, ends ---- */

static inline int32_t dcp_row(const dcp_layer *layer, const int8_t *x, size_t r) {
    const int8_t *w = layer->weight + r * dcp_padded(layer->columns);
    return dcp_rmul(dcp_dot8(w, x, layer->columns, layer->bias[r]), layer->multiplier[r]);
}

/* The activations of a layer: what of them is kept, and the rest. */
#define DCP_KEEP(x, layer, wide)                                                                   \
    const int8x16_t kept[6] = {                                                                    \
        dcp_kept(x, 0, wide),  dcp_kept(x, 16, wide), dcp_kept(x, 32, wide),                       \
        dcp_kept(x, 48, wide), dcp_kept(x, 64, wide), dcp_kept(x, 80, wide)};                      \
    const int8_t *const rest = x + (wide ? DCP_KEPT : 0);                                          \
    const size_t left = layer->columns - (wide ? DCP_KEPT : 0)

static inline int8x16_t dcp_kept(const int8_t *x, size_t first, int wide) {
    return wide ? vldrbq_s8(x + first) : vdupq_n_s8(0);
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

/* The layer, clamped to [low, 32767]. `wide` is a constant, as in dcp_expand4. */
static inline void dcp_ends4(const dcp_layer *layer, const int8_t *x, int16_t *y, int wide) {
    DCP_KEEP(x, layer, wide);
    const size_t skip = dcp_skip(layer);
    const int8_t *w[4] = DCP_FIRST_ROWS(layer, dcp_padded(layer->columns));
    const int32_t *bias = layer->bias, *multiplier = layer->multiplier;
    const int16_t *end = y + layer->rows / 4 * 4;
    while (y != end) {
        int32_t sum[4];
        bias = dcp_start(bias, sum);
        dcp_dot4(kept, wide, rest, &left, w, sum);
        dcp_advance(w, skip);
        const int32x4_t v = vqrdmulhq_s32(dcp_vector(sum), vldrwq_s32(multiplier));
        vstrhq_s32(y, dcp_sat16x4(v));
        multiplier += 4;
        y += 4;
    }
}

DYNCP_ONCE static uint32_t dcp_back(const dcp_layer *layer, const int8_t *x, uint32_t *work,
                                    int16_t *y) {
    (void)work;
    if (dcp_is_wide(layer)) {
        dcp_ends4(layer, x, y, 1);
    } else {
        dcp_ends4(layer, x, y, 0);
    }
    for (size_t r = layer->rows / 4 * 4; r < layer->rows; r++) {
        y[r] = dcp_sat16(dcp_row(layer, x, r));
    }
    return (uint32_t)(layer->rows * layer->columns);
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

/* ---- Section 6, block, step 3: gate ---- */

/* What is left to the next row but three, as dcp_skip, for vectors of eight. */
static inline size_t dcp_skip16(const dcp_layer *layer) {
    return 4 * dcp_padded(layer->columns) - (layer->columns + 7) / 8 * 8;
}

DYNCP_ONCE static uint32_t dcp_gate(const dcp_layer *layer, const int16_t *x, uint32_t *work,
                                    int16_t *y) {
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

/* Four rows of 16 columns each time, whose activations stay in two registers. */
static inline void dcp_score16(const dcp_layer *layer, const int16_t *x, int32_t *score) {
    const int8_t *w = layer->weight;
    const int32_t *bias = layer->bias;
    const int16x8_t x0 = vldrhq_s16(x), x1 = vldrhq_s16(x + 8);
    int16x8_t a, b;
    int32_t s0, s1, s2, s3;
#define DCP_ROW(r, at)                                                                             \
    "vldrb.s16 %q[a], [%[w], #" #at "]\n\t"                                                        \
    "vmladava.s16 %[s" #r "], %q[a], %q[x0]\n\t"                                                   \
    "vldrb.s16 %q[b], [%[w], #" #at "+8]\n\t"                                                      \
    "vmladava.s16 %[s" #r "], %q[b], %q[x1]\n\t"
    __asm__ volatile(
        "wls lr, %[groups], 2f\n"
        "1:\n\t"
        "ldrd %[s0], %[s1], [%[bias]], #8\n\t"
        "ldrd %[s2], %[s3], [%[bias]], #8\n\t" DCP_ROW(1, 16) DCP_ROW(2, 32)
            DCP_ROW(3, 48) "vldrb.s16 %q[b], [%[w], #8]\n\t"
                           "vmladava.s16 %[s0], %q[b], %q[x1]\n\t"
                           "vldrb.s16 %q[a], [%[w]], #64\n\t"
                           "vmladava.s16 %[s0], %q[a], %q[x0]\n\t"
                           "strd %[s0], %[s1], [%[score]], #8\n\t"
                           "strd %[s2], %[s3], [%[score]], #8\n\t"
                           "le lr, 1b\n"
                           "2:"
        : [s0] "=&Te"(s0), [s1] "=&Te"(s1), [s2] "=&Te"(s2), [s3] "=&Te"(s3), [w] "+l"(w),
          [bias] "+r"(bias), [score] "+r"(score), [a] "=&w"(a), [b] "=&w"(b)
        : [groups] "r"(layer->rows / 4), [x0] "w"(x0), [x1] "w"(x1)
        : "lr", "cc", "memory");
#undef DCP_ROW
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

DYNCP_ONCE static uint32_t dcp_score(const dcp_layer *layer, const int16_t *x, uint32_t *work,
                                     int32_t *score) {
    (void)work;
    if (layer->columns == 16) {
        dcp_score16(layer, x, score);
    } else {
        dcp_score4(layer, x, score);
    }
    for (size_t r = layer->rows / 4 * 4; r < layer->rows; r++) {
        score[r] = dcp_dot16(layer->weight + r * dcp_padded(layer->columns), x, layer->columns,
                             layer->bias[r]);
    }
    return (uint32_t)(layer->rows * layer->columns);
}

/* ---- Section 6, block, steps 4 to 6, gate site `output` ---- */

static inline void dcp_expand4(const dcp_layer *layer, const int8_t *x, int8_t *y, int wide) {
    DCP_KEEP(x, layer, wide);
    const size_t skip = dcp_skip(layer);
    const int8_t *w[4] = DCP_FIRST_ROWS(layer, dcp_padded(layer->columns));
    const int32_t *bias = layer->bias, *multiplier = layer->multiplier;
    const int8_t *end = y + layer->rows / 4 * 4;
    while (y != end) {
        int32_t sum[4];
        bias = dcp_start(bias, sum);
        dcp_dot4(kept, wide, rest, &left, w, sum);
        dcp_advance(w, skip);
        const int32x4_t v = vqrdmulhq_s32(dcp_vector(sum), vldrwq_s32(multiplier));
        vstrbq_s32(y, dcp_relu8x4(v));
        multiplier += 4;
        y += 4;
    }
}

DYNCP_ONCE static uint32_t dcp_expand(const dcp_layer *layer, const int8_t *x, uint32_t *work,
                                      int8_t *y) {
    (void)work;
    if (dcp_is_wide(layer)) {
        dcp_expand4(layer, x, y, 1);
    } else {
        dcp_expand4(layer, x, y, 0);
    }
    for (size_t r = layer->rows / 4 * 4; r < layer->rows; r++) {
        y[r] = dcp_relu8(dcp_row(layer, x, r));
    }
    return (uint32_t)(layer->rows * layer->columns);
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

DYNCP_ONCE static uint32_t dcp_depthwise(const dcp_layer *layer, int8_t *h, int8_t *oldest,
                                         const int8_t *middle) {
    dcp_taps8(layer, h, oldest, middle, layer->rows / 8);
    for (size_t r = layer->rows / 8 * 8; r < layer->rows; r++) {
        h[r] = dcp_taps(layer, h, oldest, middle, r);
    }
    return (uint32_t)(3 * layer->rows);
}

static inline void dcp_project_rows4(const dcp_layer *layer, dcp_walk *walk, size_t groups,
                                     const int8_t *h, int16_t *residual, int wide) {
    DCP_KEEP(h, layer, wide);
    const int8_t *const weight = layer->weight;
    const int32_t *const multipliers = layer->multiplier;
    const size_t row = dcp_padded(layer->columns);
    for (; groups > 0; groups--) {
        uint32_t c[4];
        dcp_next4(walk, c);
        const int8_t *w[4] = DCP_ROWS_AT(weight, c, row);
        int32_t sum[4] = {0, 0, 0, 0};
        dcp_dot4(kept, wide, rest, &left, w, sum);
        const uint32x4_t index = vldrwq_u32(c);
        const int32x4_t multiplier = vldrwq_gather_shifted_offset_s32(multipliers, index);
        const int32x4_t old = vldrhq_gather_shifted_offset_s32(residual, index);
        const int32x4_t v = vaddq_s32(old, vqrdmulhq_s32(dcp_vector(sum), multiplier));
        vstrhq_scatter_shifted_offset_s32(residual, index, dcp_sat16x4(v));
    }
}

/* Four rows each time, from the first on. */
static inline void dcp_project_all4(const dcp_layer *layer, const int8_t *h, int16_t *residual) {
    DCP_KEEP(h, layer, 1);
    const size_t skip = dcp_skip(layer);
    const int8_t *w[4] = DCP_FIRST_ROWS(layer, dcp_padded(layer->columns));
    const int32_t *multiplier = layer->multiplier;
    const int16_t *end = residual + layer->rows / 4 * 4;
    while (residual != end) {
        int32_t sum[4] = {0, 0, 0, 0};
        dcp_dot4(kept, 1, rest, &left, w, sum);
        dcp_advance(w, skip);
        const int32x4_t v = vqrdmulhq_s32(dcp_vector(sum), vldrwq_s32(multiplier));
        vstrhq_s32(residual, dcp_sat16x4(vaddq_s32(vldrhq_s32(residual), v)));
        multiplier += 4;
        residual += 4;
    }
}

/* Adds the active rows to the residual stream, four at a time, wherever they lie. */
DYNCP_ONCE static uint32_t dcp_project_rows(const dcp_layer *layer, const uint32_t *mask,
                                            const int8_t *h, uint32_t *work, int16_t *residual) {
    (void)work;
    const size_t active = dcp_count(mask, layer->rows);
    dcp_walk walk = dcp_walk_of(mask);
    if (active == layer->rows && active % 4 == 0 && dcp_is_wide(layer)) {
        dcp_project_all4(layer, h, residual);
    } else if (dcp_is_wide(layer)) {
        dcp_project_rows4(layer, &walk, active / 4, h, residual, 1);
    } else {
        dcp_project_rows4(layer, &walk, active / 4, h, residual, 0);
    }
    for (size_t n = active % 4; n > 0; n--) {
        const size_t c = dcp_next(&walk);
        const int8_t *w = layer->weight + c * dcp_padded(layer->columns);
        const int32_t sum = dcp_dot8(w, h, layer->columns, 0);
        residual[c] = dcp_sat16(residual[c] + dcp_rmul(sum, layer->multiplier[c]));
    }
    return (uint32_t)(active * layer->columns);
}

/* ---- Section 6, block, steps 4 to 6, gate site `hidden` ---- */

static inline void dcp_expand_gated4(const dcp_layer *layer, dcp_walk *walk, size_t groups,
                                     const int8_t *x, int8_t *y, int wide) {
    DCP_KEEP(x, layer, wide);
    const int8_t *const weight = layer->weight;
    const int32_t *const bias = layer->bias, *const multipliers = layer->multiplier;
    const size_t row = dcp_padded(layer->columns);
    for (; groups > 0; groups--) {
        uint32_t c[4];
        dcp_next4(walk, c);
        const int8_t *w[4] = DCP_ROWS_AT(weight, c, row);
        int32_t sum[4] = {bias[c[0]], bias[c[1]], bias[c[2]], bias[c[3]]};
        dcp_dot4(kept, wide, rest, &left, w, sum);
        const uint32x4_t index = vldrwq_u32(c);
        const int32x4_t multiplier = vldrwq_gather_shifted_offset_s32(multipliers, index);
        const int32x4_t v = vqrdmulhq_s32(dcp_vector(sum), multiplier);
        vstrbq_scatter_offset_s32(y, index, dcp_relu8x4(v));
    }
}

DYNCP_ONCE static uint32_t dcp_expand_gated(const dcp_layer *layer, const uint32_t *mask,
                                            const int8_t *x, uint32_t *work, int8_t *y) {
    (void)work;
    const size_t active = dcp_count(mask, layer->rows);
    dcp_walk walk = dcp_walk_of(mask);
    memset(y, 0, layer->rows);
    if (dcp_is_wide(layer)) {
        dcp_expand_gated4(layer, &walk, active / 4, x, y, 1);
    } else {
        dcp_expand_gated4(layer, &walk, active / 4, x, y, 0);
    }
    for (size_t n = active % 4; n > 0; n--) {
        const size_t r = dcp_next(&walk);
        y[r] = dcp_relu8(dcp_row(layer, x, r));
    }
    return (uint32_t)(active * layer->columns);
}

/* Four active channels at once, wherever they lie. */
static inline void dcp_taps_at(const dcp_layer *layer, int8_t *h, int8_t *oldest,
                               const int8_t *middle, uint32x4_t index) {
    const int8_t *w = layer->weight;
    const size_t tap = dcp_padded(layer->rows);
    const int32x4_t now = vldrbq_gather_offset_s32(h, index);
    int32x4_t sum = vldrwq_gather_shifted_offset_s32(layer->bias, index);
    sum = vaddq_s32(sum, vmulq_s32(now, vldrbq_gather_offset_s32(w + 2 * tap, index)));
    sum = vaddq_s32(sum, vmulq_s32(vldrbq_gather_offset_s32(middle, index),
                                   vldrbq_gather_offset_s32(w + tap, index)));
    sum = vaddq_s32(sum, vmulq_s32(vldrbq_gather_offset_s32(oldest, index),
                                   vldrbq_gather_offset_s32(w, index)));
    sum = vqrdmulhq_s32(sum, vldrwq_gather_shifted_offset_s32(layer->multiplier, index));
    vstrbq_scatter_offset_s32(oldest, index, now);
    vstrbq_scatter_offset_s32(h, index, dcp_relu8x4(sum));
}

/* Writes 0 where a channel is pruned. */
static inline void dcp_clear_pruned(const uint32_t *mask, int8_t *y, size_t count) {
    for (size_t first = 0; first < count; first += 16) {
        const uint32_t active = mask[first / 32] >> (first % 32);
        const mve_pred16_t within = vctp8q((uint32_t)(count - first));
        vstrbq_p_s8(y + first, vdupq_n_s8(0), (mve_pred16_t)(within & ~active));
    }
}

DYNCP_ONCE static uint32_t dcp_depthwise_gated(const dcp_layer *layer, const uint32_t *mask,
                                               int8_t *h, int8_t *oldest, const int8_t *middle) {
    const size_t active = dcp_count(mask, layer->rows);
    dcp_walk walk = dcp_walk_of(mask);
    for (size_t n = active / 4; n > 0; n--) {
        uint32_t c[4];
        dcp_next4(&walk, c);
        dcp_taps_at(layer, h, oldest, middle, vldrwq_u32(c));
    }
    for (size_t n = active % 4; n > 0; n--) {
        const size_t r = dcp_next(&walk);
        h[r] = dcp_taps(layer, h, oldest, middle, r);
    }
    dcp_clear_pruned(mask, oldest, layer->rows);
    return (uint32_t)(3 * active);
}

/* sum += the four columns w, each times its value, for all rows. */
static inline void dcp_columns4(const int8_t *const w[4], const int32_t value[4], int32_t *sum,
                                const size_t *rows) {
    const int8_t *w0 = w[0], *w1 = w[1], *w2 = w[2], *w3 = w[3];
    int32x4_t s, a, b;
    __asm__ volatile("ldr lr, %[rows]\n\t"
                     "wlstp.32 lr, lr, 2f\n"
                     "1:\n\t"
                     "vldrw.32 %q[s], [%[sum]]\n\t"
                     "vldrb.s32 %q[a], [%[w0]], #4\n\t"
                     "vldrb.s32 %q[b], [%[w1]], #4\n\t"
                     "vmla.s32 %q[s], %q[a], %[v0]\n\t"
                     "vldrb.s32 %q[a], [%[w2]], #4\n\t"
                     "vmla.s32 %q[s], %q[b], %[v1]\n\t"
                     "vldrb.s32 %q[b], [%[w3]], #4\n\t"
                     "vmla.s32 %q[s], %q[a], %[v2]\n\t"
                     "vmla.s32 %q[s], %q[b], %[v3]\n\t"
                     "vstrw.32 %q[s], [%[sum]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [sum] "+r"(sum), [w0] "+l"(w0), [w1] "+l"(w1), [w2] "+l"(w2), [w3] "+l"(w3),
                       [s] "=&w"(s), [a] "=&w"(a), [b] "=&w"(b)
                     : [rows] "m"(*rows), [v0] "h"(value[0]), [v1] "h"(value[1]),
                       [v2] "h"(value[2]), [v3] "h"(value[3])
                     : "lr", "cc", "memory");
}

/* residual += rmul(sum, multiplier), saturated. */
static inline void dcp_add_scaled(const int32_t *sum, const int32_t *multiplier, int16_t *residual,
                                  size_t count) {
    int32x4_t v, m;
    __asm__ volatile("wlstp.32 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrw.32 %q[v], [%[sum]], #16\n\t"
                     "vldrw.32 %q[m], [%[multiplier]], #16\n\t"
                     "vqrdmulh.s32 %q[v], %q[v], %q[m]\n\t"
                     "vldrh.s32 %q[m], [%[residual]]\n\t"
                     "vadd.i32 %q[v], %q[v], %q[m]\n\t"
                     "vqmovnb.s32 %q[v], %q[v]\n\t"
                     "vstrh.32 %q[v], [%[residual]], #8\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [sum] "+r"(sum), [multiplier] "+r"(multiplier), [residual] "+l"(residual),
                       [v] "=&w"(v), [m] "=&w"(m)
                     : [count] "r"(count)
                     : "lr", "cc", "memory");
}

/* Adds the active columns' product to the residual stream, four columns at a time. */
DYNCP_ONCE static uint32_t dcp_project_columns(const dcp_layer *layer, const uint32_t *mask,
                                               const int8_t *h, int32_t *sum, int16_t *residual) {
    const size_t rows = layer->rows, row = dcp_padded(rows);
    const int8_t *const weight = layer->weight;
    const size_t active = dcp_count(mask, layer->columns);
    dcp_walk walk = dcp_walk_of(mask);
    memset(sum, 0, rows * sizeof *sum);
    for (size_t groups = active / 4; groups > 0; groups--) {
        uint32_t r[4];
        dcp_next4(&walk, r);
        const int8_t *w[4] = DCP_ROWS_AT(weight, r, row);
        const int32_t value[4] = {h[r[0]], h[r[1]], h[r[2]], h[r[3]]};
        dcp_columns4(w, value, sum, &rows);
    }
    if (active % 4 > 0) {
        /* In place of a missing column the one before, times 0. */
        const int8_t *w[4];
        int32_t value[4];
        for (size_t i = 0; i < 4; i++) {
            if (i < active % 4) {
                const uint32_t r = dcp_next(&walk);
                w[i] = weight + r * row;
                value[i] = h[r];
            } else {
                w[i] = w[i - 1];
                value[i] = 0;
            }
        }
        dcp_columns4(w, value, sum, &rows);
    }
    dcp_add_scaled(sum, layer->multiplier, residual, rows);
    return (uint32_t)(active * rows);
}

#endif
