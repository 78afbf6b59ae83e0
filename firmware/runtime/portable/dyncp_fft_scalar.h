/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of dyncp_fft.h on cores without vectors, one value at a time. */
#ifndef DYNCP_FFT_SCALAR_H
#define DYNCP_FFT_SCALAR_H

#include <string.h>

#include "dyncp_bands.h"
#include "dyncp_butterfly.h"
#include "dyncp_dsp_frames.h"
#include "dyncp_runtime.h"

/* k = 128: the real parts of the products with w.re = 0 are 0. */
static inline dcp_complex dcp_twist128(dcp_complex q) {
    dcp_complex t;
    t.re = -dcp_rmul2(q.im, DCP_MINUS_J);
    t.im = dcp_rmul2(q.re, DCP_MINUS_J);
    return t;
}

/* ---- Section 4: four values, two stages at a time ---- */

/* The butterflies of the stages h and 2 h on z[j], z[j + h], z[j + 2 h], z[j + 3 h] of a group,
 * j = 0: the twists are by k = 0, and by k = 128 in the second stage's other butterfly. */
static inline void dcp_quad0(dcp_complex *a, dcp_complex *b, dcp_complex *c, dcp_complex *d) {
    dcp_butterfly(a, b, dcp_twist0(*b));
    dcp_butterfly(c, d, dcp_twist0(*d));
    dcp_butterfly(a, c, dcp_twist0(*c));
    dcp_butterfly(b, d, dcp_twist128(*d));
}

#if DCP_SIMD
/* Section 4, step 2, from h = 4 on. */
DYNCP_ONCE static void dcp_stages(const int32_t *twiddle, int32_t *z) {
    dcp_stages4(twiddle, z);
    dcp_stages16(twiddle, z);
    dcp_stages64(twiddle, z);
}
#else
/* j > 0: the stage h twists by k = j 256 / h, the stage 2 h by half of that and, 128 further on,
 * in its other butterfly. */
DCP_IN_CODE static inline void dcp_quad(int32_t *z, size_t h, const int32_t *twiddle, size_t k) {
    dcp_complex a = dcp_load(z), b = dcp_load(z + 2 * h);
    const dcp_complex first = dcp_load(twiddle + 2 * k);
    dcp_butterfly(&a, &b, dcp_twist(b, first));
    dcp_complex c = dcp_load(z + 4 * h), d = dcp_load(z + 6 * h);
    dcp_butterfly(&c, &d, dcp_twist(d, first));
    dcp_butterfly(&a, &c, dcp_twist(c, dcp_load(twiddle + k)));
    dcp_store(z, a);
    dcp_store(z + 4 * h, c);
    dcp_butterfly(&b, &d, dcp_twist(d, dcp_load(twiddle + k + 2 * 128)));
    dcp_store(z + 2 * h, b);
    dcp_store(z + 6 * h, d);
}

/* Section 4, step 2, stages h and 2 h. */
DCP_IN_CODE static inline void dcp_two_stages(const int32_t *twiddle, int32_t *z, size_t h) {
    for (size_t g = 0; g < 256; g += 4 * h) {
        int32_t *group = z + 2 * g;
        dcp_complex a = dcp_load(group), b = dcp_load(group + 2 * h);
        dcp_complex c = dcp_load(group + 4 * h), d = dcp_load(group + 6 * h);
        dcp_quad0(&a, &b, &c, &d);
        dcp_store(group, a);
        dcp_store(group + 2 * h, b);
        dcp_store(group + 4 * h, c);
        dcp_store(group + 6 * h, d);
        for (size_t j = 1; j < h; j++) {
            dcp_quad(group + 2 * j, h, twiddle, j * (256 / h));
        }
    }
}

/* Section 4, step 2, from h = 4 on. */
DYNCP_ONCE static void dcp_stages(const int32_t *twiddle, int32_t *z) {
    dcp_two_stages(twiddle, z, 4);
    dcp_two_stages(twiddle, z, 16);
    dcp_two_stages(twiddle, z, 64);
}
#endif

/* z[4 g .. 4 g + 3] after steps 1 and 2 up to h = 2, from the values whose reversed indices they
 * have: input n, n + 128, n + 64 and n + 192, n = dcp_reversed[g]. */
static inline void dcp_first_quad(int32_t *z, size_t g, dcp_complex a, dcp_complex b, dcp_complex c,
                                  dcp_complex d) {
    dcp_quad0(&a, &b, &c, &d);
    dcp_store(z + 8 * g, a);
    dcp_store(z + 8 * g + 2, b);
    dcp_store(z + 8 * g + 4, c);
    dcp_store(z + 8 * g + 6, d);
}

#if !DCP_SIMD
/* Section 4, from in[256] to the stages h = 1 and 2. */
static inline void dcp_first_stages(const int32_t *in, int32_t *z) {
    for (size_t g = 0; g < 64; g++) {
        const int32_t *n = in + 2 * dcp_reversed[g];
        dcp_first_quad(z, g, dcp_load(n), dcp_load(n + (2 * 128)), dcp_load(n + (2 * 64)),
                       dcp_load(n + (2 * 192)));
    }
}
#endif

/* ---- Section 3: analysis ---- */

#if !(DCP_SIMD && DCP_UNALIGNED)
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

/* Step 3: the spectrum x[257] of real samples in place of the transform x[256] of their pairs. */
static inline void dcp_split(const int32_t *twiddle, int32_t *x) {
    dcp_split_ends(x, x + (2 * 256));
#if DCP_SIMD
    dcp_split_from1(twiddle, x);
#else
    /* k and 256 - k, until they meet. */
    for (int32_t *up = x + 2, *down = x + (2 * 255); up <= down; up += 2, down -= 2) {
        twiddle += 2;
        dcp_split_two(up, down, dcp_load(twiddle));
    }
#endif
}

/* ---- Section 5: features ---- */

/* x[257] to features[257], each the number of thresholds that |x|^2 reaches (dcp_feature). */
static inline void dcp_features(const uint64_t *thresholds, const uint8_t *starts, const int32_t *x,
                                int8_t *features) {
    for (size_t k = 0; k < DCP_BINS; k++) {
        features[k] = dcp_feature(thresholds, starts, dcp_power(x + 2 * k));
    }
}

/* Spectrum x[257] to features[bands]; band b has the bins edges[b] to edges[b + 1] - 1. */
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

/* logits[count] to the suppression mask[count]. */
static inline void dcp_suppression(const uint16_t *sigmoid, const int16_t *logits, uint16_t *mask,
                                   size_t count) {
    for (size_t k = 0; k < count; k++) {
        mask[k] = dcp_suppression_of(sigmoid, logits[k]);
    }
}

/* ---- Section 8: synthesis ---- */

/* Steps 1 to 3: what the inverse transform takes, re and im exchanged, in place of x[257]. */
static inline void dcp_merge(const int32_t *twiddle, const uint8_t *bands, const uint16_t *mask,
                             int32_t *x) {
    const dcp_complex first = dcp_suppressed(x, mask[dcp_band_of(bands, 0)]);
    dcp_merge_ends(x, first, dcp_suppressed(x + (2 * 256), mask[dcp_band_of(bands, 256)]));
#if DCP_SIMD
    dcp_merge_from1(twiddle, bands, mask, x);
#else
    for (size_t k = 1; k <= 128; k++) {
        int32_t *up = x + (2 * k), *down = x + (2 * (256 - k));
        const dcp_complex a = dcp_suppressed(up, mask[dcp_band_of(bands, k)]);
        const dcp_complex b = dcp_suppressed(down, mask[dcp_band_of(bands, 256 - k)]);
        twiddle += 2;
        dcp_merge_two(up, down, a, b, dcp_load(twiddle));
    }
#endif
}

#if !(DCP_SIMD && DCP_UNALIGNED)
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
