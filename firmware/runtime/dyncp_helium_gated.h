/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of which masks switch channels off, on Helium: four active channels at a time, wherever
 * they lie. What is pruned is not read. */
#ifndef DYNCP_HELIUM_GATED_H
#define DYNCP_HELIUM_GATED_H

#include <string.h>

#include "dyncp_helium_dense.h"

/* ---- Active channels, one after the other ---- */

typedef struct {
    const uint32_t *mask;
    uint32_t bits;  /* of *mask, those not yet taken, channel 0 first */
    uint32_t first; /* channel of *mask's bit 0 */
} dcp_walk;

static inline uint32_t dcp_from_highest(uint32_t v) {
    __asm__("rbit %0, %0" : "+r"(v));
    return v;
}

static inline dcp_walk dcp_walk_of(const uint32_t *mask) {
    const dcp_walk walk = {mask, dcp_from_highest(*mask), 0};
    return walk;
}

#define DCP_TOP 0x80000000u

/* The next active channel; there must be one. `top` is DCP_TOP. */
static inline uint32_t dcp_next(dcp_walk *walk, uint32_t top) {
    while (walk->bits == 0) {
        walk->mask += 1;
        walk->bits = dcp_from_highest(*walk->mask);
        walk->first += 32;
    }
    const uint32_t bit = (uint32_t)__builtin_clz(walk->bits);
    walk->bits ^= top >> bit;
    /* Hides from the compiler what it knows of the bits, or it copies all that follows. */
    __asm__("" : "+r"(walk->bits));
    return walk->first + bit;
}

/* Number of active channels: a sum of ones by bytes, each under its bit of the mask. */
DCP_KERNEL size_t dcp_count(const uint32_t *mask, size_t channels) {
    const uint8x16_t ones = vdupq_n_u8(1);
    uint32_t count = 0;
    for (size_t words = (channels + 31) / 32; words > 0; words--) {
        const uint32_t word = *mask++;
        count = vaddvaq_p_u8(count, ones, (mve_pred16_t)word);
        count = vaddvaq_p_u8(count, ones, (mve_pred16_t)(word >> 16));
    }
    return count;
}

static inline void dcp_next4(dcp_walk *walk, uint32_t channel[4]) {
    uint32_t top = DCP_TOP;
    /* Of unknown value, so that gcc keeps it rather than making it anew for each. */
    __asm__("" : "+r"(top));
    channel[0] = dcp_next(walk, top);
    channel[1] = dcp_next(walk, top);
    channel[2] = dcp_next(walk, top);
    channel[3] = dcp_next(walk, top);
}

/* ---- Section 6, block, step 6, gate site `output` ---- */

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
        int32_t sum[4];
        dcp_dot4(kept, wide, 1, rest, &left, w, sum);
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
        int32_t sum[4];
        dcp_dot4(kept, 1, 1, rest, &left, w, sum);
        dcp_advance(w, skip);
        const int32x4_t v = vqrdmulhq_s32(dcp_vector(sum), vldrwq_s32(multiplier));
        vstrhq_s32(residual, dcp_sat16x4(vaddq_s32(vldrhq_s32(residual), v)));
        multiplier += 4;
        residual += 4;
    }
}

/* Adds the active rows to the residual stream, four at a time, wherever they lie. */
DCP_KERNEL uint32_t dcp_project_rows(const dcp_layer *layer, const uint32_t *mask, const int8_t *h,
                                     uint32_t *work, int16_t *residual) {
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
        const size_t c = dcp_next(&walk, DCP_TOP);
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
        dcp_dot4(kept, wide, 0, rest, &left, w, sum);
        const uint32x4_t index = vldrwq_u32(c);
        const int32x4_t multiplier = vldrwq_gather_shifted_offset_s32(multipliers, index);
        const int32x4_t v = vqrdmulhq_s32(dcp_vector(sum), multiplier);
        vstrbq_scatter_offset_s32(y, index, dcp_relu8x4(v));
    }
}

DCP_KERNEL uint32_t dcp_expand_gated(const dcp_layer *layer, const uint32_t *mask, const int8_t *x,
                                     uint32_t *work, int8_t *y) {
    const size_t active = dcp_count(mask, layer->rows);
    if (active == layer->rows) {
        return dcp_expand(layer, x, work, y);
    }
    dcp_walk walk = dcp_walk_of(mask);
    memset(y, 0, layer->rows);
    if (dcp_is_wide(layer)) {
        dcp_expand_gated4(layer, &walk, active / 4, x, y, 1);
    } else {
        dcp_expand_gated4(layer, &walk, active / 4, x, y, 0);
    }
    for (size_t n = active % 4; n > 0; n--) {
        const size_t r = dcp_next(&walk, DCP_TOP);
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

DCP_KERNEL uint32_t dcp_depthwise_gated(const dcp_layer *layer, const uint32_t *mask, int8_t *h,
                                        int8_t *oldest, const int8_t *middle) {
    const size_t active = dcp_count(mask, layer->rows);
    if (active == layer->rows) {
        return dcp_depthwise(layer, h, oldest, middle);
    }
    dcp_walk walk = dcp_walk_of(mask);
    for (size_t n = active / 4; n > 0; n--) {
        uint32_t c[4];
        dcp_next4(&walk, c);
        dcp_taps_at(layer, h, oldest, middle, vldrwq_u32(c));
    }
    for (size_t n = active % 4; n > 0; n--) {
        const size_t r = dcp_next(&walk, DCP_TOP);
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
DCP_KERNEL uint32_t dcp_project_columns(const dcp_layer *layer, const uint32_t *mask,
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
                const uint32_t r = dcp_next(&walk, DCP_TOP);
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
