/* SPDX-License-Identifier: Apache-2.0 */
/* Part of dyncp_dsp.h: the kernels that take neighbouring channels, four in a word. */
#ifndef DYNCP_DSP_CHANNELS_H
#define DYNCP_DSP_CHANNELS_H

#include "dyncp_layers.h"
#include "dyncp_simd.h"

/* ---- Input and pooling ---- */

/* dcp_rmul(x, multiplier) = ((x multiplier >> 16) + 2^14) >> 15. */
DCP_KERNEL void dcp_narrow(int32_t multiplier, const int16_t *x, int8_t *y, size_t count) {
    const uint32_t m = (uint32_t)multiplier, half = 1u << 14;
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

DCP_KERNEL void dcp_pool_ema(int32_t coefficient, const int8_t *x, int16_t *mean, size_t count) {
    const int32_t twice = 2 * coefficient;
    for (size_t c = 0; c < count; c++) {
        mean[c] = (int16_t)dcp_rmul2_add(mean[c], 256 * x[c] - mean[c], twice);
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
    memcpy(sum, at->bias, sizeof sum);
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
            const uint32_t ones = (bits >> n & 15u) * 0x00204081u & 0x01010101u;
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

/* Columns at w, each weighed by its h. */
typedef struct {
    const int8_t *w[4];
    int16_t h[4];
} dcp_columns;

#if DCP_SIMD
/* Four rows of four columns, two and two; one sum is that of an SMLAD for two columns. */
#define DCP_ROWS_OF(words, halves)                                                                 \
    "sxtb16 %[a], " words "\n\tsmlad %[x], %[a], " halves ", %[x]\n\t"                             \
    "sxtb16 " words ", " words ", ror #8\n\tsmlad %[y], " words ", " halves ", %[y]\n\t"
#define DCP_FOUR_ROWS                                                                              \
    "ldrd %[x], %[y], [%[sum]]\n\t"                                                                \
    "ldr %[a], [%[p]], #4\n\tldr %[b], [%[q]], #4\n\t"                                             \
    "pkhbt %[t], %[a], %[b], lsl #16\n\tpkhtb %[b], %[b], %[a], asr #16\n\t" DCP_ROWS_OF(          \
        "%[t]", "%[h01]") "ldr %[a], [%[r]], #4\n\tldr %[d], [%[s]], #4\n\t"                       \
                          "pkhbt %[t], %[a], %[d], lsl #16\n\tpkhtb %[d], %[d], %[a], asr "        \
                          "#16\n\t" DCP_ROWS_OF(                                                   \
                              "%[t]",                                                              \
                              "%[h23]") "strd %[x], %[y], [%[sum]], #8\n\tldrd %[x], %[y], "       \
                                        "[%[sum]]\n\t" DCP_ROWS_OF("%[b]", "%[h01]") DCP_ROWS_OF(  \
                                            "%[d]", "%[h23]") "strd %[x], %[y], [%[sum]], #8\n\t"
#define DCP_RUN_COLUMNS(rows)                                                                      \
    __asm__ volatile(                                                                              \
        rows                                                                                       \
        : [p] "+&r"(p), [q] "+&r"(q), [r] "+&r"(r), [s] "+&r"(s), [sum] "+&r"(sum), [a] "=&r"(a),  \
          [b] "=&r"(b), [d] "=&r"(d), [t] "=&r"(t), [x] "=&r"(x), [y] "=&r"(y)                     \
        : [h01] "r"(h01), [h23] "r"(h23)                                                           \
        : "memory")
#endif

/* sum[rows] += four columns. */
DCP_KERNEL void dcp_add_columns(const dcp_columns *columns, size_t rows, int32_t *sum) {
    const int8_t *p = columns->w[0], *q = columns->w[1], *r = columns->w[2], *s = columns->w[3];
    const uint32_t h01 = dcp_load32(columns->h), h23 = dcp_load32(columns->h + 2);
    int32_t *const end = sum + rows;
#if DCP_SIMD
    uint32_t a, b, d, t, x, y;
    for (int32_t *last = end - rows % 8; sum != last;) {
        DCP_RUN_COLUMNS(DCP_FOUR_ROWS DCP_FOUR_ROWS);
    }
#endif
    for (; sum != end; p++, q++, r++, s++, sum++) {
        *sum += *p * dcp_low(h01) + *q * dcp_high(h01) + *r * dcp_low(h23) + *s * dcp_high(h23);
    }
}

/* sum[rows] += the column at w times h. */
static inline void dcp_add_column(const int8_t *w, int32_t h, size_t rows, int32_t *sum) {
    for (size_t c = 0; c < rows; c++) {
        sum[c] += w[c] * h;
    }
}

DCP_KERNEL uint32_t dcp_project_columns(const dcp_layer *layer, const uint32_t *mask,
                                        const int8_t *h, int32_t *sum, int16_t *residual) {
    const size_t rows = layer->rows, stride = dcp_padded(rows);
    dcp_columns four = {{NULL, NULL, NULL, NULL}, {0, 0, 0, 0}};
    size_t count = 0;
    uint32_t macs = 0;
    memset(sum, 0, rows * sizeof *sum);
    for (size_t base = 0; base < layer->columns; base += 32) {
        for (uint32_t bits = mask[base / 32]; bits != 0; bits &= bits - 1) {
            const size_t r = base + dcp_lowest(bits);
            four.w[count] = layer->weight + r * stride;
            four.h[count] = h[r];
            macs += (uint32_t)rows;
            if (++count == 4) {
                dcp_add_columns(&four, rows, sum);
                count = 0;
            }
        }
    }
    for (size_t n = 0; n < count; n++) {
        dcp_add_column(four.w[n], four.h[n], rows, sum);
    }
    for (size_t c = 0; c < rows; c++) {
        residual[c] = dcp_sat16(dcp_rmul2_add(residual[c], sum[c], 2 * layer->multiplier[c]));
    }
    return macs;
}

#endif
