/* SPDX-License-Identifier: Apache-2.0 */
/* Analysis and synthesis: 256 samples to 257 bins and back. Section numbers refer to
 * docs/arithmetic.md.
 *
 * Arrays of complex values are int32_t, re and im interleaved. */
#ifndef DYNCP_FFT_H
#define DYNCP_FFT_H

#include "dyncp_runtime.h"

#define DCP_HOP 256
#define DCP_FFT 512
#define DCP_BINS 257
#define DCP_THRESHOLDS 127

typedef struct {
    int32_t re, im;
} dcp_complex;

static inline dcp_complex dcp_load(const int32_t *z, size_t k) {
    dcp_complex value;
    value.re = z[2 * k];
    value.im = z[2 * k + 1];
    return value;
}

static inline void dcp_store(int32_t *z, size_t k, int32_t re, int32_t im) {
    z[2 * k] = re;
    z[2 * k + 1] = im;
}

/* Section 3: q turned by the k-th power of the 512th root of unity, and halved. */
static inline dcp_complex dcp_twist(const int32_t *twiddle, int32_t re, int32_t im, size_t k) {
    dcp_complex t;
    if (k == 0) {
        t.re = re >> 1;
        t.im = im >> 1;
    } else {
        const dcp_complex w = dcp_load(twiddle, k);
        t.re = dcp_rmul(re, w.re) - dcp_rmul(im, w.im);
        t.im = dcp_rmul(re, w.im) + dcp_rmul(im, w.re);
    }
    return t;
}

/* Section 4, step 1: z in the order of the reversed bits of its index. */
static inline void dcp_permute256(int32_t *z) {
    size_t reversed = 0;
    for (size_t k = 0; k < 256; k++) {
        if (k < reversed) {
            const dcp_complex a = dcp_load(z, k), b = dcp_load(z, reversed);
            dcp_store(z, k, b.re, b.im);
            dcp_store(z, reversed, a.re, a.im);
        }
        /* Count up from the highest bit: the carry runs down. */
        size_t bit = 128;
        while (reversed & bit) {
            reversed ^= bit;
            bit >>= 1;
        }
        reversed |= bit;
    }
}

/* Section 4: the DFT of z[256] divided by 256, in place. */
static inline void dcp_fft256(const int32_t *twiddle, int32_t *z) {
    dcp_permute256(z);
    for (size_t half = 1; half < 256; half *= 2) {
        for (size_t j = 0; j < half; j++) {
            for (size_t k = j; k < 256; k += 2 * half) {
                const dcp_complex p = dcp_load(z, k), q = dcp_load(z, k + half);
                const dcp_complex t = dcp_twist(twiddle, q.re, q.im, j * (256 / half));
                dcp_store(z, k, (p.re >> 1) + t.re, (p.im >> 1) + t.im);
                dcp_store(z, k + half, (p.re >> 1) - t.re, (p.im >> 1) - t.im);
            }
        }
    }
}

/* Section 3, step 3: the spectrum x[257] of real samples from the transform z[256] of their pairs.
 */
static inline void dcp_split(const int32_t *twiddle, const int32_t *z, int32_t *x) {
    for (size_t k = 0; k <= 128; k++) {
        const dcp_complex a = dcp_load(z, k), b = dcp_load(z, (256 - k) % 256);
        const int32_t e_re = (a.re >> 1) + (b.re >> 1), e_im = (a.im >> 1) + (-b.im >> 1);
        const int32_t d_re = (a.re >> 1) - (b.re >> 1), d_im = (a.im >> 1) - (-b.im >> 1);
        const dcp_complex t = dcp_twist(twiddle, d_im, -d_re, k);
        dcp_store(x, 256 - k, (e_re >> 1) - t.re, -((e_im >> 1) - t.im));
        dcp_store(x, k, (e_re >> 1) + t.re, (e_im >> 1) + t.im);
    }
    x[1] = 0;
    x[2 * 256 + 1] = 0;
}

/* Section 3: in[256] to the spectrum x[257]; history[256] is the previous hop; z[256] is work
 * space. */
static inline void dcp_analysis(const int16_t *window, const int32_t *twiddle, const int16_t *in,
                                int16_t *history, int32_t *z, int32_t *x) {
    for (size_t n = 0; n < DCP_HOP; n++) {
        z[n] = history[n] * window[n];
        z[DCP_HOP + n] = in[n] * window[DCP_HOP + n];
        history[n] = in[n];
    }
    dcp_fft256(twiddle, z);
    dcp_split(twiddle, z, x);
}

/* Section 5: x[257] to features[257], each the number of thresholds[127] that |x|^2 reaches. */
static inline void dcp_features(const uint64_t *thresholds, const int32_t *x, int8_t *features) {
    for (size_t k = 0; k < DCP_BINS; k++) {
        const int64_t re = x[2 * k], im = x[2 * k + 1];
        const uint64_t power = (uint64_t)(re * re + im * im);
        size_t reached = 0;
        for (size_t step = (DCP_THRESHOLDS + 1) / 2; step > 0; step /= 2) {
            if (power >= thresholds[reached + step - 1]) {
                reached += step;
            }
        }
        features[k] = (int8_t)reached;
    }
}

/* Section 6, back: logits[257] to the suppression mask[257], by linear interpolation in
 * sigmoid[257]. */
static inline void dcp_suppression(const uint16_t *sigmoid, const int16_t *logits, uint16_t *mask) {
    for (size_t k = 0; k < DCP_BINS; k++) {
        const uint32_t position = (uint32_t)(logits[k] + 32768);
        const uint32_t i = position >> 8, f = position & 255u;
        mask[k] = (uint16_t)((sigmoid[i] * (256u - f) + sigmoid[i + 1] * f + 128u) >> 8);
    }
}

/* Section 8, step 1: bin k of the enhanced spectrum, halved. */
static inline dcp_complex dcp_suppressed(const int32_t *x, const uint16_t *mask, size_t k) {
    const int32_t m = (int32_t)mask[k] * 32768;
    dcp_complex y = dcp_load(x, k);
    y.re = dcp_rmul(y.re, m);
    y.im = dcp_rmul(y.im, m);
    return y;
}

/* Section 8, steps 1 to 3: z[256] holds what the inverse transform takes, re and im exchanged. */
static inline void dcp_merge(const int32_t *twiddle, const int32_t *x, const uint16_t *mask,
                             int32_t *z) {
    for (size_t k = 0; k <= 128; k++) {
        const dcp_complex a = dcp_suppressed(x, mask, k), b = dcp_suppressed(x, mask, 256 - k);
        const int32_t e_re = (a.re + b.re) >> 1, e_im = (a.im - b.im) >> 1;
        /* The twist of conj(o); t is its conjugate. */
        const dcp_complex c = dcp_twist(twiddle, a.re - b.re, -(a.im + b.im), k);
        const int32_t t_re = c.re, t_im = -c.im;
        if (k != 0 && k != 128) {
            dcp_store(z, 256 - k, -(e_im - t_re), e_re + t_im);
        }
        dcp_store(z, k, e_im + t_re, e_re - t_im);
    }
}

/* Section 8: spectrum x[257] and suppression mask[257] to out[256], one hop late; z[256] is work
 * space. */
static inline void dcp_synthesis(const int16_t *window, const int32_t *twiddle, const int32_t *x,
                                 const uint16_t *mask, int32_t *overlap, int32_t *z, int16_t *out) {
    dcp_merge(twiddle, x, mask, z);
    dcp_fft256(twiddle, z);
    for (size_t n = 0; n < DCP_HOP; n++) {
        /* n ^ 1 exchanges re and im again. */
        const int32_t first = dcp_rmul(z[n ^ 1], window[n] * 32768);
        const int32_t second = dcp_rmul(z[DCP_HOP + (n ^ 1)], window[DCP_HOP + n] * 32768);
        out[n] = dcp_sat16(dcp_rmul(overlap[n] + first, (int32_t)1 << 27));
        overlap[n] = second;
    }
}

#endif
