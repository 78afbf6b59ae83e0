/* SPDX-License-Identifier: Apache-2.0 */
/* Analysis and synthesis with other frames than the standard ones: a library of such frames takes
 * them in the place of those of dyncp_fft.h, whose transforms they are made of. Section numbers
 * refer to docs/arithmetic.md.
 *
 * DCP_POINTS is the size of the transform; other sizes are arguments, which are constants where
 * they are called. Arrays are as in dyncp_fft.h. */
#ifndef DYNCP_FRAMES_H
#define DYNCP_FRAMES_H

#include <string.h>

#include "dyncp_fft.h"
#include "dyncp_runtime.h"
#include "dyncp_silence.h"
#if DCP_SIMD
#include "dyncp_simd.h"
#endif

/* Samples: of a hop and of both windows. */
typedef struct {
    size_t hop, analysis, synthesis;
} dcp_framing;

/* Section 8, step 4: twice 2^(18 + L), as dcp_rmul2 takes it, and the shift that does the same. */
#define DCP_OUT_SCALE ((int32_t)DCP_POINTS << 20)
#define DCP_OUT_SHIFT                                                                              \
    ((DCP_POINTS == 64) ? 6 : ((DCP_POINTS == 128) ? 5 : ((DCP_POINTS == 256) ? 4 : 3)))

/* ---- Section 3: analysis ---- */

/* Step 1 for `count` samples, a multiple of 16: z gets them times the window, and `kept` the
 * samples, which may lie at the same place or further up. */
static inline void dcp_frame_window(const int16_t *window, const int16_t *s, size_t count,
                                    int16_t *kept, int32_t *z) {
#if DCP_HELIUM
    for (const int16_t *end = s + count; s != end; s += 4) {
        const int32x4_t samples = vldrhq_s32(s);
        vstrhq_s32(kept, samples);
        vst1q_s32(z, vmulq_s32(samples, vldrhq_s32(window)));
        window += 4;
        kept += 4;
        z += 4;
    }
#elif DCP_SIMD && DCP_UNALIGNED
    for (const int16_t *end = s + count; s != end; s += 4) {
        const uint32_t first = dcp_load32(s), second = dcp_load32(s + 2);
        const uint32_t w = dcp_load32(window), v = dcp_load32(window + 2);
        dcp_store32(kept, first);
        dcp_store32(kept + 2, second);
        z[0] = (int32_t)dcp_mac_low(first, w, 0);
        z[1] = (int32_t)dcp_mac_high(first, w, 0);
        z[2] = (int32_t)dcp_mac_low(second, v, 0);
        z[3] = (int32_t)dcp_mac_high(second, v, 0);
        window += 4;
        kept += 4;
        z += 4;
    }
#else
    for (size_t n = 0; n < count; n++) {
        z[n] = s[n] * window[n];
        kept[n] = s[n];
    }
#endif
}

/* in[hop] to the spectrum x[DCP_BINS]; history[analysis - hop] are the samples before. Returns 1
 * where both are silent, as dcp_analysis. z[DCP_POINTS] is work space. */
static inline uint32_t dcp_frame_analysis(const dcp_framing *f, const int16_t *window,
                                          const int32_t *twiddle, const int16_t *in,
                                          int16_t *history, int32_t *z, int32_t *x) {
    const size_t hop = f->hop, past = f->analysis - hop, silent = 2 * DCP_POINTS - f->analysis;
    if (dcp_is_silent(in, hop) && dcp_is_silent(history, past)) {
        return 1;
    }
    (void)memset(z, 0, silent * sizeof *z);
    /* The oldest hop is done with, the others move up. */
    dcp_frame_window(window, history, hop, history, z + silent);
    dcp_frame_window(window + hop, history + hop, past - hop, history, z + silent + hop);
    dcp_frame_window(window + past, in, hop, history + (past - hop), z + silent + past);
    dcp_first_stages(z, x);
    dcp_stages(twiddle, x);
    dcp_split(twiddle, x);
    return 0;
}

/* ---- Section 8: synthesis ---- */

#if DCP_HELIUM
/* Step 4: eight values times the window, even and odd ones apart. re and im are exchanged again. */
static inline dcp_four dcp_frame_faded(const int16_t *window, const int32_t *z) {
    const dcp_four y = vld2q_s32(z);
    const uint32x4_t both = vreinterpretq_u32_s16(vld1q_s16(window));
    const uint32x4_t odd = vandq_u32(both, vdupq_n_u32(0xffff0000u));
    dcp_four faded;
    faded.val[0] = vrmulhq_s32(y.val[1], vreinterpretq_s32_u32(vshlq_n_u32(both, 16)));
    faded.val[1] = vrmulhq_s32(y.val[0], vreinterpretq_s32_u32(odd));
    return faded;
}

/* The same, and the sum of what is there. */
static inline dcp_four dcp_frame_added(const int16_t *window, const int32_t *z,
                                       const int32_t *overlap) {
    dcp_four faded = dcp_frame_faded(window, z);
    const dcp_four there = vld2q_s32(overlap);
    faded.val[0] = vaddq_s32(faded.val[0], there.val[0]);
    faded.val[1] = vaddq_s32(faded.val[1], there.val[1]);
    return faded;
}

/* All of it; z are the last values of the transform, overlap[synthesis - hop] is what the next hops
 * begin with. */
static inline void dcp_frame_overlap_add(const dcp_framing *f, const int16_t *window,
                                         const int32_t *z, int32_t *overlap, int16_t *out) {
    const size_t hop = f->hop, kept = f->synthesis - hop;
    for (size_t n = 0; n < hop; n += 8) {
        const dcp_four sum = dcp_frame_added(window + n, z + n, overlap + n);
        int16x8_t samples = vqrshrnbq_n_s32(vdupq_n_s16(0), sum.val[0], DCP_OUT_SHIFT);
        samples = vqrshrntq_n_s32(samples, sum.val[1], DCP_OUT_SHIFT);
        vst1q_s16(out + n, samples);
    }
    for (size_t n = hop; n < kept; n += 8) {
        const dcp_four sum = dcp_frame_added(window + n, z + n, overlap + n);
        dcp_store_four(overlap + (n - hop), sum.val[0], sum.val[1]);
    }
    for (size_t n = kept; n < f->synthesis; n += 8) {
        const dcp_four sum = dcp_frame_faded(window + n, z + n);
        dcp_store_four(overlap + (n - hop), sum.val[0], sum.val[1]);
    }
}
#else
/* Step 4: two values times the window, and `sum`. re and im are exchanged again. */
static inline dcp_complex dcp_frame_faded(const int16_t *window, const int32_t *z,
                                          dcp_complex sum) {
#if DCP_SIMD && DCP_UNALIGNED
    const uint32_t both = dcp_load32(window);
    const int32_t even = (int32_t)(both << 16), odd = (int32_t)(both & 0xffff0000u);
#else
    const int32_t even = window[0] * 65536, odd = window[1] * 65536;
#endif
    sum.re = dcp_rmul2_add(sum.re, z[1], even);
    sum.im = dcp_rmul2_add(sum.im, z[0], odd);
    return sum;
}

/* All of it; z are the last values of the transform, overlap[synthesis - hop] is what the next hops
 * begin with. */
static inline void dcp_frame_overlap_add(const dcp_framing *f, const int16_t *window,
                                         const int32_t *z, int32_t *overlap, int16_t *out) {
    const size_t hop = f->hop, kept = f->synthesis - hop;
    const dcp_complex none = {0, 0};
    for (size_t n = 0; n < hop; n += 2) {
        const dcp_complex sum = dcp_frame_faded(window + n, z + n, dcp_load(overlap + n));
        out[n] = dcp_sat16(dcp_rmul2(sum.re, DCP_OUT_SCALE));
        out[n + 1] = dcp_sat16(dcp_rmul2(sum.im, DCP_OUT_SCALE));
    }
    for (size_t n = hop; n < kept; n += 2) {
        dcp_store(overlap + (n - hop), dcp_frame_faded(window + n, z + n, dcp_load(overlap + n)));
    }
    for (size_t n = kept; n < f->synthesis; n += 2) {
        dcp_store(overlap + (n - hop), dcp_frame_faded(window + n, z + n, none));
    }
}
#endif

/* The spectrum x[DCP_BINS], which is lost, and suppression mask to out[hop]; `bands` as in
 * dyncp_fft.h. z[DCP_POINTS] is work space. */
static inline void dcp_frame_synthesis(const dcp_framing *f, const int16_t *window,
                                       const int32_t *twiddle, const uint8_t *bands, int32_t *x,
                                       const uint16_t *mask, int32_t *overlap, int32_t *z,
                                       int16_t *out) {
    dcp_merge(twiddle, bands, mask, x);
    dcp_fft(twiddle, x, z);
    dcp_frame_overlap_add(f, window, z + (2 * DCP_POINTS - f->synthesis), overlap, out);
}

/* The same of a spectrum that is 0. */
static inline void dcp_frame_silence(const dcp_framing *f, int32_t *overlap, int16_t *out) {
    const size_t hop = f->hop, kept = f->synthesis - hop;
    if (dcp_is_faded(overlap, kept)) {
        (void)memset(out, 0, hop * sizeof *out);
    } else {
        dcp_fade_out(overlap, hop, DCP_OUT_SCALE, out);
        (void)memmove(overlap, overlap + hop, (kept - hop) * sizeof *overlap);
        (void)memset(overlap + (kept - hop), 0, hop * sizeof *overlap);
    }
}

#endif
