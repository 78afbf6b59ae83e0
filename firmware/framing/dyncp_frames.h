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
#include "dyncp_butterfly.h"
#include "dyncp_runtime.h"
#include "dyncp_silence.h"

/* Samples: of a hop, a transform, and both windows. */
typedef struct {
    size_t hop, fft, analysis, synthesis;
} dcp_framing;

/* ---- Section 4: transform ---- */

/* The stages h and 2 h on the values j, j + h, j + 2 h, j + 3 h of all groups, which are twisted
 * alike. */
DCP_IN_CODE static inline void dcp_frame_quads(const int32_t *twiddle, size_t points, int32_t *z,
                                               size_t h, size_t j) {
    const size_t k = j * (points / h);
    const dcp_complex first = dcp_load(twiddle + 2 * k), second = dcp_load(twiddle + k);
    const dcp_complex third = dcp_load(twiddle + k + points);
    for (int32_t *at = z + 2 * j; at < z + 2 * points; at += 8 * h) {
        dcp_complex a = dcp_load(at), b = dcp_load(at + 2 * h);
        dcp_complex c = dcp_load(at + 4 * h), d = dcp_load(at + 6 * h);
        dcp_butterfly(&a, &b, j == 0 ? dcp_twist0(b) : dcp_twist(b, first));
        dcp_butterfly(&c, &d, j == 0 ? dcp_twist0(d) : dcp_twist(d, first));
        dcp_butterfly(&a, &c, j == 0 ? dcp_twist0(c) : dcp_twist(c, second));
        dcp_butterfly(&b, &d, dcp_twist(d, third));
        dcp_store(at, a);
        dcp_store(at + 2 * h, b);
        dcp_store(at + 4 * h, c);
        dcp_store(at + 6 * h, d);
    }
}

/* Section 4, step 2: z[points], 64 to 512 and a power of 2, in the order of step 1. */
DYNCP_ONCE static void dcp_frame_stages(const int32_t *twiddle, size_t points, int32_t *z) {
    size_t h = 1;
    if (points == 128 || points == 512) {
        /* An odd number of stages: the first one by itself. */
        for (int32_t *at = z; at < z + 2 * points; at += 4) {
            dcp_complex a = dcp_load(at), b = dcp_load(at + 2);
            dcp_butterfly(&a, &b, dcp_twist0(b));
            dcp_store(at, a);
            dcp_store(at + 2, b);
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
    dcp_split_ends(x, x + 2 * points);
    for (size_t k = 1; k <= points / 2; k++) {
        dcp_split_two(x + 2 * k, x + 2 * (points - k), dcp_load(twiddle + 2 * k));
    }
}

/* in[hop] to the spectrum x[fft / 2 + 1]; history[analysis - hop] are the samples before. Returns 1
 * where both are silent, as dcp_analysis. */
static inline uint32_t dcp_frame_analysis(const dcp_framing *f, const int16_t *window,
                                          const int32_t *twiddle, const int16_t *in,
                                          int16_t *history, int32_t *x) {
    const size_t points = f->fft / 2, silent = f->fft - f->analysis, past = f->analysis - f->hop;
    if (dcp_is_silent(in, f->hop) && dcp_is_silent(history, past)) {
        return 1;
    }
    size_t to = 0;
    for (size_t n = 0; n < f->fft; n += 2) {
        int32_t *z = x + 2 * to;
        if (n < silent) {
            z[0] = 0;
            z[1] = 0;
        } else {
            const size_t at = n - silent;
            const int16_t *s = at < past ? history + at : in + (at - past);
            z[0] = s[0] * window[at];
            z[1] = s[1] * window[at + 1];
        }
        to = dcp_frame_next(to, points);
    }
    memmove(history, history + f->hop, (past - f->hop) * sizeof *history);
    memcpy(history + (past - f->hop), in, f->hop * sizeof *history);
    dcp_frame_stages(twiddle, points, x);
    dcp_frame_split(twiddle, points, x);
    return 0;
}

/* ---- Section 5: features of bins; those of bands are the same with all frames ---- */

static inline void dcp_frame_features(const uint64_t *thresholds, const uint8_t *starts,
                                      size_t bins, const int32_t *x, int8_t *features) {
    for (size_t k = 0; k < bins; k++) {
        features[k] = dcp_feature(thresholds, starts, dcp_power(x + 2 * k));
    }
}

/* ---- Section 8: synthesis ---- */

/* Steps 1 to 3: what the inverse transform takes, re and im exchanged, in place of x. */
static inline void dcp_frame_merge(const int32_t *twiddle, const uint8_t *bands,
                                   const uint16_t *mask, size_t points, int32_t *x) {
    const dcp_complex first = dcp_suppressed(x, mask[dcp_band_of(bands, 0)]);
    dcp_merge_ends(x, first, dcp_suppressed(x + 2 * points, mask[dcp_band_of(bands, points)]));
    for (size_t k = 1; k <= points / 2; k++) {
        int32_t *up = x + 2 * k, *down = x + 2 * (points - k);
        const dcp_complex a = dcp_suppressed(up, mask[dcp_band_of(bands, k)]);
        const dcp_complex b = dcp_suppressed(down, mask[dcp_band_of(bands, points - k)]);
        dcp_merge_two(up, down, a, b, dcp_load(twiddle + 2 * k));
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
        dcp_store(z + 2 * to, dcp_load(x + 2 * n));
        to = dcp_frame_next(to, points);
    }
    dcp_frame_stages(twiddle, points, z);
    dcp_frame_overlap_add(f, window, z, overlap, out);
}

/* The same of a spectrum that is 0. */
static inline void dcp_frame_silence(const dcp_framing *f, int32_t *overlap, int16_t *out) {
    const size_t kept = f->synthesis - f->hop;
    if (dcp_is_faded(overlap, kept)) {
        memset(out, 0, f->hop * sizeof *out);
    } else {
        dcp_fade_out(overlap, f->hop, (int32_t)(f->fft << 19), out);
        memmove(overlap, overlap + f->hop, (kept - f->hop) * sizeof *overlap);
        memset(overlap + (kept - f->hop), 0, f->hop * sizeof *overlap);
    }
}

#endif
