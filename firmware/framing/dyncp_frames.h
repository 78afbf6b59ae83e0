/* SPDX-License-Identifier: Apache-2.0 */
/* Analysis, features of bins and synthesis with frames of any size, in plain C for every core: a
 * library of other frames than the standard ones takes them in the place of those of dyncp_fft.h.
 * Section numbers refer to docs/arithmetic.md.
 *
 * Sizes are arguments, so that libraries of several framings may share this file. Arrays of complex
 * values are int32_t, re and im interleaved; `twiddle` is twice the table of section 2. */
#ifndef DYNCP_FRAMES_H
#define DYNCP_FRAMES_H

#include <string.h>

#include "dyncp_bands.h"
#include "dyncp_runtime.h"

/* Samples: of a hop, a transform, and both windows. */
typedef struct {
    size_t hop, fft, analysis, synthesis;
} dcp_framing;

typedef struct {
    int32_t re, im;
} dcp_bin;

static inline dcp_bin dcp_bin_at(const int32_t *z) {
    dcp_bin value;
    value.re = z[0];
    value.im = z[1];
    return value;
}

static inline void dcp_bin_put(int32_t *z, int32_t re, int32_t im) {
    z[0] = re;
    z[1] = im;
}

/* ---- Sections 3 and 4: twist, butterfly, transform ---- */

/* k > 0. */
static inline dcp_bin dcp_bin_twist(dcp_bin q, const int32_t *w) {
    dcp_bin t;
    t.re = dcp_rmul2(q.re, w[0]) - dcp_rmul2(q.im, w[1]);
    t.im = dcp_rmul2_add(dcp_rmul2(q.re, w[1]), q.im, w[0]);
    return t;
}

/* k = 0. */
static inline dcp_bin dcp_bin_half(dcp_bin q) {
    q.re >>= 1;
    q.im >>= 1;
    return q;
}

static inline void dcp_bin_butterfly(dcp_bin *p, dcp_bin *q, dcp_bin t) {
    const dcp_bin half = dcp_bin_half(*p);
    p->re = half.re + t.re;
    p->im = half.im + t.im;
    q->re = half.re - t.re;
    q->im = half.im - t.im;
}

/* The stages h and 2 h on the values j, j + h, j + 2 h, j + 3 h of all groups, which are twisted
 * alike. */
DCP_IN_CODE static inline void dcp_frame_quads(const int32_t *twiddle, size_t points, int32_t *z,
                                               size_t h, size_t j) {
    const size_t k = j * (points / h);
    const int32_t *first = twiddle + 2 * k, *second = twiddle + k, *third = second + points;
    for (int32_t *at = z + 2 * j; at < z + 2 * points; at += 8 * h) {
        dcp_bin a = dcp_bin_at(at), b = dcp_bin_at(at + 2 * h);
        dcp_bin c = dcp_bin_at(at + 4 * h), d = dcp_bin_at(at + 6 * h);
        dcp_bin_butterfly(&a, &b, j == 0 ? dcp_bin_half(b) : dcp_bin_twist(b, first));
        dcp_bin_butterfly(&c, &d, j == 0 ? dcp_bin_half(d) : dcp_bin_twist(d, first));
        dcp_bin_butterfly(&a, &c, j == 0 ? dcp_bin_half(c) : dcp_bin_twist(c, second));
        dcp_bin_butterfly(&b, &d, dcp_bin_twist(d, third));
        dcp_bin_put(at, a.re, a.im);
        dcp_bin_put(at + 2 * h, b.re, b.im);
        dcp_bin_put(at + 4 * h, c.re, c.im);
        dcp_bin_put(at + 6 * h, d.re, d.im);
    }
}

/* Section 4, step 2: z[points], 64 to 512 and a power of 2, in the order of step 1. */
DYNCP_ONCE static void dcp_frame_stages(const int32_t *twiddle, size_t points, int32_t *z) {
    size_t h = 1;
    if (points == 128 || points == 512) {
        /* An odd number of stages: the first one by itself. */
        for (int32_t *at = z; at < z + 2 * points; at += 4) {
            dcp_bin a = dcp_bin_at(at), b = dcp_bin_at(at + 2);
            dcp_bin_butterfly(&a, &b, dcp_bin_half(b));
            dcp_bin_put(at, a.re, a.im);
            dcp_bin_put(at + 2, b.re, b.im);
        }
        h = 2;
    }
    for (; h < points; h *= 4) {
        for (size_t j = 0; j < h; j++) {
            dcp_frame_quads(twiddle, points, z, h, j);
        }
    }
}

/* The place of the value after that of place `at`, in step 1: adds 1 to the reversed bits. */
static inline size_t dcp_frame_next(size_t at, size_t points) {
    size_t bit = points / 2;
    while (at & bit) {
        at ^= bit;
        bit /= 2;
    }
    return at | bit;
}

/* ---- Section 3: analysis ---- */

/* Step 3: the spectrum x[points + 1] in place of the transform x[points]. */
static inline void dcp_frame_split(const int32_t *twiddle, size_t points, int32_t *x) {
    const int32_t re = x[0] >> 1, im = x[1] >> 1;
    /* k = 0: e.re = 2 re and o.re = im + im, each halved again. */
    const int32_t o = im - (-x[1] >> 1);
    dcp_bin_put(x, ((re + re) >> 1) + (o >> 1), 0);
    dcp_bin_put(x + 2 * points, ((re + re) >> 1) - (o >> 1), 0);
    for (size_t k = 1; k <= points / 2; k++) {
        int32_t *up = x + 2 * k, *down = x + 2 * (points - k);
        const dcp_bin a = dcp_bin_at(up), b = dcp_bin_at(down);
        const int32_t e_re = ((a.re >> 1) + (b.re >> 1)) >> 1;
        const int32_t e_im = ((a.im >> 1) + (-b.im >> 1)) >> 1;
        dcp_bin odd;
        odd.re = (a.im >> 1) - (-b.im >> 1);
        odd.im = (b.re >> 1) - (a.re >> 1);
        const dcp_bin t = dcp_bin_twist(odd, twiddle + 2 * k);
        dcp_bin_put(down, e_re - t.re, t.im - e_im);
        dcp_bin_put(up, e_re + t.re, e_im + t.im);
    }
}

/* in[hop] to the spectrum x[fft / 2 + 1]; history[analysis - hop] are the samples before. */
static inline void dcp_frame_analysis(const dcp_framing *f, const int16_t *window,
                                      const int32_t *twiddle, const int16_t *in, int16_t *history,
                                      int32_t *x) {
    const size_t points = f->fft / 2, silent = f->fft - f->analysis, past = f->analysis - f->hop;
    size_t to = 0;
    for (size_t n = 0; n < f->fft; n += 2) {
        int32_t *z = x + 2 * to;
        if (n < silent) {
            dcp_bin_put(z, 0, 0);
        } else {
            const size_t at = n - silent;
            const int16_t *s = at < past ? history + at : in + (at - past);
            dcp_bin_put(z, s[0] * window[at], s[1] * window[at + 1]);
        }
        to = dcp_frame_next(to, points);
    }
    memmove(history, history + f->hop, (past - f->hop) * sizeof *history);
    memcpy(history + (past - f->hop), in, f->hop * sizeof *history);
    dcp_frame_stages(twiddle, points, x);
    dcp_frame_split(twiddle, points, x);
}

/* ---- Section 5: features of bins; those of bands are the same with all frames ---- */

static inline void dcp_frame_features(const uint64_t *thresholds, const uint8_t *starts,
                                      size_t bins, const int32_t *x, int8_t *features) {
    for (size_t k = 0; k < bins; k++) {
        features[k] = dcp_feature(thresholds, starts, dcp_power(x + 2 * k));
    }
}

/* ---- Section 8: synthesis ---- */

/* Step 1: a bin of the enhanced spectrum, halved. */
static inline dcp_bin dcp_frame_suppressed(const uint8_t *bands, const uint16_t *mask,
                                           const int32_t *x, size_t k) {
    const int32_t twice_m = mask[dcp_band_of(bands, k)] * 65536;
    dcp_bin y;
    y.re = dcp_rmul2(x[2 * k], twice_m);
    y.im = dcp_rmul2(x[2 * k + 1], twice_m);
    return y;
}

/* Steps 1 to 3: what the inverse transform takes, re and im exchanged, in place of x. */
static inline void dcp_frame_merge(const int32_t *twiddle, const uint8_t *bands,
                                   const uint16_t *mask, size_t points, int32_t *x) {
    const dcp_bin first = dcp_frame_suppressed(bands, mask, x, 0);
    const dcp_bin last = dcp_frame_suppressed(bands, mask, x, points);
    dcp_bin_put(x, ((first.im - last.im) >> 1) + ((first.re - last.re) >> 1),
                ((first.re + last.re) >> 1) + (-(first.im + last.im) >> 1));
    for (size_t k = 1; k <= points / 2; k++) {
        const dcp_bin a = dcp_frame_suppressed(bands, mask, x, k);
        const dcp_bin b = dcp_frame_suppressed(bands, mask, x, points - k);
        const int32_t e_re = (a.re + b.re) >> 1, e_im = (a.im - b.im) >> 1;
        /* The twist of conj(o); t is its conjugate. */
        dcp_bin conjugate;
        conjugate.re = a.re - b.re;
        conjugate.im = -(a.im + b.im);
        const dcp_bin c = dcp_bin_twist(conjugate, twiddle + 2 * k);
        dcp_bin_put(x + 2 * (points - k), c.re - e_im, e_re - c.im);
        dcp_bin_put(x + 2 * k, e_im + c.re, e_re + c.im);
    }
}

/* Step 4; overlap[synthesis - hop] is what the next hops begin with. */
static inline void dcp_frame_overlap_add(const dcp_framing *f, const int16_t *window,
                                         const int32_t *z, int32_t *overlap, int16_t *out) {
    const size_t first = f->fft - f->synthesis, kept = f->synthesis - f->hop;
    /* rmul(sum, 2^18 fft). */
    const int32_t scale = (int32_t)(f->fft << 19);
    for (size_t n = 0; n < f->synthesis; n++) {
        /* re and im are exchanged again. */
        const int32_t y = z[(first + n) ^ 1];
        const int32_t sum = dcp_rmul2_add(n < kept ? overlap[n] : 0, y, window[n] * 65536);
        if (n < f->hop) {
            out[n] = dcp_sat16(dcp_rmul2(sum, scale));
        } else {
            overlap[n - f->hop] = sum;
        }
    }
}

/* Spectrum x[fft / 2 + 1], which is lost, and suppression mask to out[hop]; `bands` as in
 * dyncp_fft.h. z[fft / 2] is work space. */
static inline void dcp_frame_synthesis(const dcp_framing *f, const int16_t *window,
                                       const int32_t *twiddle, const uint8_t *bands, int32_t *x,
                                       const uint16_t *mask, int32_t *overlap, int32_t *z,
                                       int16_t *out) {
    const size_t points = f->fft / 2;
    dcp_frame_merge(twiddle, bands, mask, points, x);
    size_t to = 0;
    for (size_t n = 0; n < points; n++) {
        dcp_bin_put(z + 2 * to, x[2 * n], x[2 * n + 1]);
        to = dcp_frame_next(to, points);
    }
    dcp_frame_stages(twiddle, points, z);
    dcp_frame_overlap_add(f, window, z, overlap, out);
}

#endif
