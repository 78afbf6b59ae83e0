/* SPDX-License-Identifier: Apache-2.0 */
/* Part of dyncp_dsp.h: the kernels that take neighbouring channels, four in a word. */
#ifndef DYNCP_DSP_CHANNELS_H
#define DYNCP_DSP_CHANNELS_H

#include "dyncp_layers.h"
#include "dyncp_simd.h"

/* ---- Input and pooling ---- */

/* dcp_rmul(x, multiplier) = ((x multiplier >> 16) + 2^14) >> 15. */
DCP_KERNEL void dcp_narrow(int32_t multiplier, const int16_t *x, int8_t *y, size_t count) {
    const uint32_t m = (uint32_t)multiplier, half = 16384u;
    for (; count >= 4; count -= 4, x += 4, y += 4) {
        const uint32_t first = dcp_load32(x), second = dcp_load32(x + 2);
        const uint32_t a = dcp_top17_sat8(dcp_scale_low(m, first, half));
        const uint32_t b = dcp_top17_sat8(dcp_scale_high(m, first, half));
        const uint32_t c = dcp_top17_sat8(dcp_scale_low(m, second, half));
        const uint32_t d = dcp_top17_sat8(dcp_scale_high(m, second, half));
        dcp_store32(y, dcp_bytes(a, b, c, d));
    }
    for (size_t c = 0; c < count; c++) {
        y[c] = dcp_sat8(dcp_rmul(x[c], multiplier));
    }
}

DCP_KERNEL void dcp_pool_window(const int8_t *x, int16_t *sum, int8_t *oldest, size_t count) {
    for (; count >= 4; count -= 4, x += 4, sum += 4, oldest += 4) {
        const uint32_t in = dcp_load32(x), out = dcp_load32(oldest);
        const uint32_t even = dcp_sub16(dcp_even(in), dcp_even(out));
        const uint32_t odd = dcp_sub16(dcp_odd(in), dcp_odd(out));
        dcp_store32(oldest, in);
        dcp_store32(sum, dcp_add16(dcp_load32(sum), dcp_lower(even, odd)));
        dcp_store32(sum + 2, dcp_add16(dcp_load32(sum + 2), dcp_upper(even, odd)));
    }
    for (size_t c = 0; c < count; c++) {
        sum[c] = (int16_t)(sum[c] + x[c] - oldest[c]);
        oldest[c] = x[c];
    }
}

#if DCP_SIMD
/* mean[4 fours] moves towards 256 x[4 fours]; fours > 0. gcc would shift odd bytes twice, and
 * unroll a loop over few channels whole. */
static inline void dcp_move_fours(const int8_t *x, int16_t *mean, int32_t twice, size_t fours) {
    uint32_t in, first, second, old, a;
    __asm__ volatile(
        "1: ldr %[in], [%[x]], #4\n\t"
        "ldr %[first], [%[mean]]\n\t"
        "ldr %[second], [%[mean], #4]\n\t"
        "sxtb %[a], %[in]\n\t"
        "sxth %[old], %[first]\n\t"
        "rsb %[a], %[old], %[a], lsl #8\n\t"
        "smmlar %[a], %[a], %[twice], %[old]\n\t"
        "sxtb %[old], %[in], ror #8\n\t"
        "asr %[first], %[first], #16\n\t"
        "rsb %[old], %[first], %[old], lsl #8\n\t"
        "smmlar %[first], %[old], %[twice], %[first]\n\t"
        "pkhbt %[first], %[a], %[first], lsl #16\n\t"
        "sxtb %[a], %[in], ror #16\n\t"
        "sxth %[old], %[second]\n\t"
        "rsb %[a], %[old], %[a], lsl #8\n\t"
        "smmlar %[a], %[a], %[twice], %[old]\n\t"
        "asr %[old], %[in], #24\n\t"
        "asr %[second], %[second], #16\n\t"
        "rsb %[old], %[second], %[old], lsl #8\n\t"
        "smmlar %[second], %[old], %[twice], %[second]\n\t"
        "pkhbt %[second], %[a], %[second], lsl #16\n\t"
        "str %[second], [%[mean], #4]\n\t"
        "subs %[fours], %[fours], #1\n\t"
        "str %[first], [%[mean]], #8\n\t"
        "bne 1b"
        : [in] "=&r"(in), [first] "=&r"(first), [second] "=&r"(second), [old] "=&r"(old),
          [a] "=&r"(a), [x] "+&r"(x), [mean] "+&r"(mean), [fours] "+&r"(fours)
        : [twice] "r"(twice)
        : "cc", "memory");
}
#endif

DCP_KERNEL void dcp_pool_ema(int32_t coefficient, const int8_t *x, int16_t *mean, size_t count) {
    const int32_t twice = 2 * coefficient;
    size_t c = 0;
#if DCP_SIMD
    c = count / 4 * 4;
    if (c > 0) {
        dcp_move_fours(x, mean, twice, c / 4);
    }
#endif
    for (; c < count; c++) {
        mean[c] = (int16_t)dcp_rmul2_add(mean[c], (256 * x[c]) - mean[c], twice);
    }
}

DCP_KERNEL void dcp_pool_each(const int32_t *coefficient, const int16_t *x, int16_t *mean,
                              size_t count) {
    for (size_t j = 0; j < count; j++) {
        mean[j] = (int16_t)dcp_rmul2_add(mean[j], x[j] - mean[j], 2 * coefficient[j]);
    }
}

/* ---- Depthwise convolution ---- */

/* Where channels lie. */
typedef struct {
    const int8_t *w, *middle;
    int8_t *h, *oldest;
    const int32_t *bias, *multiplier;
    size_t tap; /* bytes from tap to tap */
} dcp_cursor;

static inline dcp_cursor dcp_channels_from(const dcp_layer *layer, size_t r, int8_t *h,
                                           int8_t *oldest, const int8_t *middle) {
    const dcp_cursor at = {layer->weight + r,
                           middle + r,
                           h + r,
                           oldest + r,
                           layer->bias + r,
                           layer->multiplier + r,
                           dcp_padded(layer->rows)};
    return at;
}

#if DCP_SIMD
/* Four channels, a to d, in one piece of assembly: seven addresses and eight values are one more
 * than there are registers, so two addresses lend theirs, which gcc would not find. */
#define DCP_TAP                                                                                    \
    "sxtb16 %[bias], %[t]\n\tsxtb16 %[t], %[t], ror #8\n\t"                                        \
    "sxtb16 %[m], %[x]\n\tsxtb16 %[x], %[x], ror #8\n\t"                                           \
    "smlabb %[a], %[bias], %[m], %[a]\n\tsmlabb %[b], %[t], %[x], %[b]\n\t"                        \
    "smlatt %[c], %[bias], %[m], %[c]\n\tsmlatt %[d], %[t], %[x], %[d]\n\t"
#define DCP_SCALE(first, second)                                                                   \
    "ldrd %[t], %[x], [%[m]], #8\n\tlsl %[t], %[t], #1\n\tlsl %[x], %[x], #1\n\t"                  \
    "smmulr " first ", " first ", %[t]\n\tsmmulr " second ", " second ", %[x]\n\t"                 \
    "usat " first ", #7, " first "\n\tusat " second ", #7, " second "\n\t"                         \
    "bfi " first ", " second ", #8, #8\n\t"
static inline void dcp_four_channels(dcp_cursor *at) {
    uint32_t a, b, c, d, t, x;
    __asm__ volatile(
        "ldrd %[a], %[b], [%[bias]], #8\n\tldrd %[c], %[d], [%[bias]], #8\n\t"
        "strd %[bias], %[m], [sp, #-8]!\n\t"
        "ldr %[t], [%[w]]\n\tldr %[x], [%[oldest]]\n\t" DCP_TAP
        "ldr %[t], [%[w], %[tap]]\n\tldr %[x], [%[middle]], #4\n\t" DCP_TAP
        "ldr %[t], [%[w], %[tap], lsl #1]\n\tldr %[x], [%[h]]\n\t"
        "str %[x], [%[oldest]], #4\n\t" DCP_TAP
        "ldrd %[bias], %[m], [sp], #8\n\t" DCP_SCALE("%[a]", "%[b]") DCP_SCALE(
            "%[c]",
            "%[d]") "pkhbt %[a], %[a], %[c], lsl #16\n\tstr %[a], [%[h]], #4\n\tadd %[w], %[w], #4"
        : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [t] "=&r"(t), [x] "=&r"(x),
          [w] "+&r"(at->w), [middle] "+&r"(at->middle), [h] "+&r"(at->h),
          [oldest] "+&r"(at->oldest), [bias] "+&r"(at->bias), [m] "+&r"(at->multiplier)
        : [tap] "r"(at->tap)
        : "memory");
}
#undef DCP_TAP
#undef DCP_SCALE
#else
/* One tap of four channels: weights and inputs are the bytes of words. */
static inline void dcp_tap(uint32_t weights, uint32_t inputs, uint32_t sum[4]) {
    const uint32_t we = dcp_even(weights), wo = dcp_odd(weights);
    const uint32_t xe = dcp_even(inputs), xo = dcp_odd(inputs);
    sum[0] = dcp_mac_low(we, xe, sum[0]);
    sum[1] = dcp_mac_low(wo, xo, sum[1]);
    sum[2] = dcp_mac_high(we, xe, sum[2]);
    sum[3] = dcp_mac_high(wo, xo, sum[3]);
}

static inline void dcp_four_channels(dcp_cursor *at) {
    const uint32_t last = dcp_load32(at->h);
    uint32_t sum[4];
    (void)memcpy(sum, at->bias, sizeof sum);
    dcp_tap(dcp_load32(at->w), dcp_load32(at->oldest), sum);
    dcp_tap(dcp_load32(at->w + at->tap), dcp_load32(at->middle), sum);
    dcp_tap(dcp_load32(at->w + 2 * at->tap), last, sum);
    dcp_store32(at->oldest, last);
    for (int c = 0; c < 4; c++) {
        at->h[c] = dcp_relu8(dcp_rmul((int32_t)sum[c], at->multiplier[c]));
    }
    at->w += 4;
    at->middle += 4;
    at->h += 4;
    at->oldest += 4;
    at->bias += 4;
    at->multiplier += 4;
}
#endif

DCP_KERNEL uint32_t dcp_depthwise(const dcp_layer *layer, int8_t *h, int8_t *oldest,
                                  const int8_t *middle) {
    const size_t rows = layer->rows;
    dcp_cursor at = dcp_channels_from(layer, 0, h, oldest, middle);
    for (const int8_t *end = h + rows / 4 * 4; at.h != end;) {
        dcp_four_channels(&at);
    }
    uint32_t macs = 3 * (uint32_t)(at.h - h);
    for (size_t r = rows / 4 * 4; r < rows; r++) {
        h[r] = dcp_taps(layer, h, oldest, middle, r);
        macs += 3;
    }
    return macs;
}

/* x[count], count <= 32, becomes 0 where the bit is 0. */
static inline void dcp_clear_pruned(uint32_t bits, int8_t *x, size_t count) {
    if (count == 32) {
        for (size_t n = 0; n < 32; n += 4) {
            const uint32_t ones = (((bits >> n) & 15u) * 0x00204081u) & 0x01010101u;
            dcp_store32(x + n, dcp_load32(x + n) & ((ones << 8) - ones));
        }
    } else {
        for (size_t n = 0; n < count; n++) {
            x[n] = (bits >> n & 1u) != 0 ? x[n] : 0;
        }
    }
}

/* Channels of a word of the mask: in fours where all are active, else one by one. Pruned ones,
 * whose h is 0, enter the history too. */
DCP_KERNEL uint32_t dcp_depthwise_gated(const dcp_layer *layer, const uint32_t *mask, int8_t *h,
                                        int8_t *oldest, const int8_t *middle) {
    const dcp_layer own = *layer;
    uint32_t macs = 0;
    for (size_t base = 0; base < own.rows; base += 32) {
        uint32_t bits = mask[base / 32];
        if (bits == 0xffffffffu) {
            dcp_cursor at = dcp_channels_from(&own, base, h, oldest, middle);
            for (int n = 0; n < 8; n++) {
                dcp_four_channels(&at);
            }
            macs += 96;
            continue;
        }
        const size_t rest = own.rows - base;
        dcp_clear_pruned(bits, oldest + base, rest < 32 ? rest : 32);
        for (; bits != 0; bits &= bits - 1) {
            const size_t r = base + dcp_lowest(bits);
            h[r] = dcp_taps(&own, h, oldest, middle, r);
            macs += 3;
        }
    }
    return macs;
}

/* ---- Projection by columns ---- */

/* Two columns and the values that they are weighed by: the lower half is that of the first. */
typedef struct {
    const int8_t *w[2];
    uint32_t h;
} dcp_pair;

/* So many pairs are added at once. */
enum { DCP_PAIRS = 16 };

#if DCP_SIMD
/* Four rows of two columns: the bytes of a row become a half each, for one SMLAD. */
#define DCP_PAIR                                                                                   \
    "ldmia r4!, {r8, r9, r10}\n\t"                                                                 \
    "ldr r8, [r8, r11]\n\t"                                                                        \
    "ldr r9, [r9, r11]\n\t"                                                                        \
    "pkhbt r6, r8, r9, lsl #16\n\t"                                                                \
    "pkhtb r9, r9, r8, asr #16\n\t"                                                                \
    "sxtb16 r8, r6\n\t"                                                                            \
    "smlad r0, r8, r10, r0\n\t"                                                                    \
    "sxtb16 r6, r6, ror #8\n\t"                                                                    \
    "smlad r1, r6, r10, r1\n\t"                                                                    \
    "sxtb16 r8, r9\n\t"                                                                            \
    "smlad r2, r8, r10, r2\n\t"                                                                    \
    "sxtb16 r9, r9, ror #8\n\t"                                                                    \
    "smlad r3, r9, r10, r3\n\t"
#endif

/* sum[4] += four rows of the columns of pair[pairs], which begin `row` bytes into each. */
DCP_IN_CODE static inline void dcp_add_pairs(const dcp_pair *pair, size_t pairs, size_t row,
                                             uint32_t sum[4]) {
#if DCP_SIMD
    const dcp_pair *const behind = pair + pairs;
    register uint32_t s __asm__("r0") = sum[0], t __asm__("r1") = sum[1];
    register uint32_t u __asm__("r2") = sum[2], v __asm__("r3") = sum[3];
    register const dcp_pair *next __asm__("r4") = pair;
    register size_t odd __asm__("r5") = pairs % 2;
    register size_t from __asm__("r11") = row;
    register const dcp_pair *end __asm__("ip") = behind;
    __asm__ volatile("cbnz r5, 2f\n"
                     "1:\n\t" DCP_PAIR "2:\n\t" DCP_PAIR "cmp r4, ip\n\t"
                     "bne 1b"
                     : "+r"(s), "+r"(t), "+r"(u), "+r"(v), "+r"(next)
                     : "r"(odd), "r"(from), "r"(end)
                     : "r6", "r8", "r9", "r10", "cc", "memory");
#undef DCP_PAIR
    sum[0] = s;
    sum[1] = t;
    sum[2] = u;
    sum[3] = v;
#else
    for (; pairs > 0; pairs--, pair++) {
        const int8_t *first = pair->w[0] + row, *second = pair->w[1] + row;
        for (size_t n = 0; n < 4; n++) {
            sum[n] = dcp_mac_both(dcp_halves(first[n], second[n]), pair->h, sum[n]);
        }
    }
#endif
}

/* sum[rows] + what the columns of pair[pairs] come to, for the rows from r on, at most four: to the
 * residual stream or, without it, back to sum. */
DCP_IN_CODE static inline void dcp_put_pairs(const dcp_layer *layer, const dcp_pair *pair,
                                             size_t pairs, size_t r, size_t count, int32_t *sum,
                                             int16_t *residual) {
    uint32_t s[4] = {0, 0, 0, 0};
    (void)memcpy(s, sum + r, count * sizeof *sum);
    dcp_add_pairs(pair, pairs, r, s);
    if (residual == NULL) {
        (void)memcpy(sum + r, s, count * sizeof *sum);
        return;
    }
    residual += r;
    for (size_t n = 0; n < count; n++) {
        const int32_t m = layer->multiplier[r + n];
        residual[n] = dcp_sat16(dcp_rmul2_add(residual[n], (int32_t)s[n], 2 * m));
    }
}

DCP_KERNEL void dcp_all_pairs(const dcp_layer *layer, const dcp_pair *pair, size_t pairs,
                              int32_t *sum, int16_t *residual) {
    const size_t rows = layer->rows, whole = rows / 4 * 4;
    for (size_t r = 0; r < whole; r += 4) {
        dcp_put_pairs(layer, pair, pairs, r, 4, sum, residual);
    }
    if (rows != whole) {
        dcp_put_pairs(layer, pair, pairs, whole, rows - whole, sum, residual);
    }
}

/* A column whose value is 0, as that of many an active channel is, adds nothing and is not read. */
DCP_KERNEL uint32_t dcp_project_columns(const dcp_layer *layer, const uint32_t *mask,
                                        const int8_t *h, int32_t *sum, int16_t *residual) {
    const size_t rows = layer->rows, stride = dcp_padded(rows);
    dcp_pair pair[DCP_PAIRS];
    size_t count = 0;
    uint32_t active = 0;
    (void)memset(sum, 0, rows * sizeof *sum);
    for (size_t base = 0; base < layer->columns; base += 32) {
        active += dcp_popcount(mask[base / 32]);
        for (uint32_t bits = mask[base / 32]; bits != 0; bits &= bits - 1) {
            const size_t r = base + dcp_lowest(bits);
            if (h[r] == 0) {
                continue;
            }
            if (count == 2 * DCP_PAIRS) {
                dcp_all_pairs(layer, pair, DCP_PAIRS, sum, NULL);
                count = 0;
            }
            dcp_pair *at = pair + count / 2;
            const int8_t *w = layer->weight + (r * stride);
            if (count % 2 == 0) {
                at->w[0] = w;
                at->h = dcp_halves(h[r], 0);
            } else {
                at->h = dcp_halves(dcp_low(at->h), h[r]);
            }
            at->w[1] = w; /* of a last one alone, times 0 */
            count++;
        }
    }
    if (count > 0) {
        dcp_all_pairs(layer, pair, (count + 1) / 2, sum, residual);
    }
    return active * (uint32_t)rows;
}

#endif
