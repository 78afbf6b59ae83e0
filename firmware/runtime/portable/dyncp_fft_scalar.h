/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of dyncp_fft.h on cores without vectors, one value at a time. */
#ifndef DYNCP_FFT_SCALAR_H
#define DYNCP_FFT_SCALAR_H

#include <string.h>

#include "dyncp_bands.h"
#include "dyncp_butterfly.h"
#include "dyncp_dsp_frames.h"
#include "dyncp_runtime.h"
#if DCP_SIMD
#include "dyncp_simd.h"
#endif

/* ---- Section 4: four values, two stages at a time ---- */

#if !DCP_SIMD
/* j > 0: the stage h twists by k = j points / h, the stage 2 h by half of that and, half of all
 * factors further on, in its other butterfly. */
DCP_IN_CODE static inline void dcp_quad(int32_t *z, size_t h, const int32_t *twiddle, size_t k) {
    dcp_complex a = dcp_load(z), b = dcp_load(z + 2 * h);
    const dcp_complex first = dcp_load(twiddle + 2 * k);
    dcp_butterfly(&a, &b, dcp_twist(b, first));
    dcp_complex c = dcp_load(z + 4 * h), d = dcp_load(z + 6 * h);
    dcp_butterfly(&c, &d, dcp_twist(d, first));
    dcp_butterfly(&a, &c, dcp_twist(c, dcp_load(twiddle + k)));
    dcp_store(z, a);
    dcp_store(z + 4 * h, c);
    dcp_butterfly(&b, &d, dcp_twist(d, dcp_load(twiddle + k + DCP_POINTS)));
    dcp_store(z + 2 * h, b);
    dcp_store(z + 6 * h, d);
}

/* Section 4, step 2, stages h and 2 h. */
DCP_IN_CODE static inline void dcp_two_stages(const int32_t *twiddle, int32_t *z, size_t h) {
    for (size_t g = 0; g < DCP_POINTS; g += 4 * h) {
        int32_t *group = z + 2 * g;
        dcp_quad_of_0(group, h);
        for (size_t j = 1; j < h; j++) {
            dcp_quad(group + 2 * j, h, twiddle, j * (DCP_POINTS / h));
        }
    }
}

/* Section 4, step 2, from the stage on that dcp_first_stages leaves. */
#define DCP_FIRST_H (DCP_ODD_STAGES ? 2 : 4)
DYNCP_ONCE static void dcp_stages(const int32_t *twiddle, int32_t *z) {
    dcp_two_stages(twiddle, z, DCP_FIRST_H);
    dcp_two_stages(twiddle, z, 4 * DCP_FIRST_H);
#if DCP_POINTS > 64
    dcp_two_stages(twiddle, z, 16 * DCP_FIRST_H);
#endif
#if DCP_POINTS > 256
    dcp_two_stages(twiddle, z, 64 * DCP_FIRST_H);
#endif
}
#undef DCP_FIRST_H
#endif

/* z[4 g .. 4 g + 3] after step 1 and what comes before dcp_stages, the stages h = 1 and 2 or h = 1
 * alone, from the values whose reversed indices they have: input n and those half of all, a quarter
 * and three quarters further on, n = dcp_reversed_group(g). */
static inline void dcp_first_quad(int32_t *z, size_t g, dcp_complex a, dcp_complex b, dcp_complex c,
                                  dcp_complex d) {
#if DCP_ODD_STAGES
    dcp_butterfly(&a, &b, dcp_twist0(b));
    dcp_butterfly(&c, &d, dcp_twist0(d));
#else
    dcp_quad0(&a, &b, &c, &d);
#endif
    dcp_store(z + 8 * g, a);
    dcp_store(z + 8 * g + 2, b);
    dcp_store(z + 8 * g + 4, c);
    dcp_store(z + 8 * g + 6, d);
}

#if !DCP_SIMD
/* Section 4, from in[points] to where dcp_stages begins. */
static inline void dcp_first_stages(const int32_t *in, int32_t *z) {
    for (size_t g = 0; g < DCP_GROUPS; g++) {
        const int32_t *n = in + 2 * dcp_reversed_group(g);
        dcp_first_quad(z, g, dcp_load(n), dcp_load(n + (4 * DCP_GROUPS)),
                       dcp_load(n + (2 * DCP_GROUPS)), dcp_load(n + (6 * DCP_GROUPS)));
    }
}
#endif

/* ---- Section 3: analysis ---- */

#if DCP_POINTS == 256 && !(DCP_SIMD && DCP_UNALIGNED)
/* Two neighbouring samples, windowed: one value of step 2. */
static inline dcp_complex dcp_windowed(const int16_t *s, const int16_t *window) {
    dcp_complex u;
    u.re = s[0] * window[0];
    u.im = s[1] * window[1];
    return u;
}

/* Steps 1 and 2 up to the stages h = 1 and 2; history[256] becomes in[256]. */
static inline void dcp_window(const int16_t *window, const int16_t *in, int16_t *history,
                              int32_t *z) {
    for (size_t g = 0; g < 64; g++) {
        const size_t n = 2 * (size_t)dcp_reversed[g];
        const int16_t *w = window + n, *now = in + n;
        int16_t *before = history + n;
        const dcp_complex a = dcp_windowed(before, w), b = dcp_windowed(now, w + 256);
        const dcp_complex c = dcp_windowed(before + 128, w + 128);
        const dcp_complex d = dcp_windowed(now + 128, w + 384);
        (void)memcpy(before, now, 2 * sizeof *now);
        (void)memcpy(before + 128, now + 128, 2 * sizeof *now);
        dcp_first_quad(z, g, a, b, c, d);
    }
}
#endif

/* Step 3: the spectrum x[DCP_BINS] of real samples in place of the transform of their pairs. */
static inline void dcp_split(const int32_t *twiddle, int32_t *x) {
    dcp_split_ends(x, x + (2 * DCP_POINTS));
#if DCP_SIMD
    dcp_split_from1(twiddle, x);
#else
    /* k and the value as far from the end, until they meet. */
    for (int32_t *up = x + 2, *down = x + (2 * (DCP_POINTS - 1)); up <= down; up += 2, down -= 2) {
        twiddle += 2;
        dcp_split_two(up, down, dcp_load(twiddle));
    }
#endif
}

/* ---- Section 5: features ---- */

/* x[DCP_BINS] to features[DCP_BINS], each the number of thresholds that |x|^2 reaches
 * (dcp_feature). */
static inline void dcp_features(const uint64_t *thresholds, const uint8_t *starts, const int32_t *x,
                                int8_t *features) {
    for (size_t k = 0; k < DCP_BINS; k++) {
        features[k] = dcp_feature(thresholds, starts, dcp_power(x + 2 * k));
    }
}

/* The spectrum to features[bands]; band b has the bins edges[b] to edges[b + 1] - 1. */
DCP_IN_CODE static inline void dcp_band_features(const uint64_t *thresholds, const uint8_t *starts,
                                                 const uint16_t *edges, const uint32_t *reciprocals,
                                                 size_t bands, const int32_t *x, int8_t *features) {
    for (size_t b = 0; b < bands; b++) {
        const int32_t *end = x + 2 * (edges[b + 1] - edges[b]);
        const uint64_t power = dcp_powers(x, end);
        features[b] = dcp_feature(thresholds, starts, dcp_band_mean(power, reciprocals[b]));
        x = end;
    }
}

/* ---- Section 6, back: suppression ---- */

#if DCP_SIMD && DCP_UNALIGNED
/* dcp_suppression_of: both neighbours in a word, times their shares, which make 256, in one. */
static inline uint32_t dcp_suppression_from(const uint16_t *middle, int32_t i, uint32_t f) {
    return dcp_mac_both(dcp_load32(middle + i), 256 + 65535 * f, 128) >> 8;
}
#endif

/* logits[count] to the suppression mask[count]; two in a word where that is quicker. */
static inline void dcp_suppression(const uint16_t *sigmoid, const int16_t *logits, uint16_t *mask,
                                   size_t count) {
    size_t k = 0;
#if DCP_SIMD && DCP_UNALIGNED
    const uint16_t *middle = sigmoid + 128;
    for (; k + 1 < count; k += 2) {
        const uint32_t both = dcp_load32(logits + k);
        const uint32_t first = dcp_suppression_from(middle, dcp_byte(both, 1), both & 255);
        const uint32_t second = dcp_suppression_from(middle, dcp_byte(both, 3), both >> 16 & 255);
        dcp_store32(mask + k, dcp_lower(first, second));
    }
#endif
    for (; k < count; k++) {
        mask[k] = dcp_suppression_of(sigmoid, logits[k]);
    }
}

/* ---- Section 8: synthesis ---- */

/* Steps 1 to 3: what the inverse transform takes, re and im exchanged, in place of the spectrum. */
static inline void dcp_merge(const int32_t *twiddle, const uint8_t *bands, const uint16_t *mask,
                             int32_t *x) {
    const dcp_complex first = dcp_suppressed(x, mask[dcp_band_of(bands, 0)]);
    dcp_merge_ends(x, first,
                   dcp_suppressed(x + (2 * DCP_POINTS), mask[dcp_band_of(bands, DCP_POINTS)]));
#if DCP_SIMD
    dcp_merge_from1(twiddle, bands, mask, x);
#else
    for (size_t k = 1; k <= DCP_POINTS / 2; k++) {
        int32_t *up = x + (2 * k), *down = x + (2 * (DCP_POINTS - k));
        const dcp_complex a = dcp_suppressed(up, mask[dcp_band_of(bands, k)]);
        const dcp_complex b = dcp_suppressed(down, mask[dcp_band_of(bands, DCP_POINTS - k)]);
        twiddle += 2;
        dcp_merge_two(up, down, a, b, dcp_load(twiddle));
    }
#endif
}

#if DCP_POINTS == 256 && !(DCP_SIMD && DCP_UNALIGNED)
/* Step 4. */
static inline int32_t dcp_faded(int32_t sum, int32_t y, int16_t window) {
    return dcp_rmul2_add(sum, y, window * 65536);
}

static inline int16_t dcp_mixed(int32_t sum) {
    return dcp_sat16(dcp_rmul2(sum, (int32_t)1 << 28));
}

static inline void dcp_overlap_add(const int16_t *window, const int32_t *z, int32_t *overlap,
                                   int16_t *out) {
    for (size_t n = 0; n < DCP_HOP; n += 2) {
        /* im comes first: re and im are exchanged again. */
        const dcp_complex y = dcp_load(z), next = dcp_load(z + DCP_HOP), last = dcp_load(overlap);
        out[0] = dcp_mixed(dcp_faded(last.re, y.im, window[0]));
        out[1] = dcp_mixed(dcp_faded(last.im, y.re, window[1]));
        overlap[0] = dcp_faded(0, next.im, window[DCP_HOP]);
        overlap[1] = dcp_faded(0, next.re, window[DCP_HOP + 1]);
        window += 2;
        z += 2;
        overlap += 2;
        out += 2;
    }
}
#endif

#endif
