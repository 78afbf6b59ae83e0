/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms in place, for a library of `dyncp generate --in-place-fft`: it needs no buffer for the
 * bit-reversed order, since values change places in pairs before the first stages. The words are
 * those of dyncp_fft.h and dyncp_frames.h, of whose pieces this is made. Section numbers refer to
 * docs/arithmetic.md.
 *
 * Where the frames are not the standard ones, dyncp_frames.h is included before. */
#ifndef DYNCP_IN_PLACE_H
#define DYNCP_IN_PLACE_H

#include <string.h>

#include "dyncp_fft.h"
#include "dyncp_runtime.h"
#include "dyncp_silence.h"

/* ---- Section 4, step 1: the bits of an index are one, those of a group's number, and one ---- */

/* All values with the groups p and q in the middle of their indices change places; p and q are each
 * other's reversed bits. */
#if DCP_HELIUM
/* What dcp_scatter stores. */
static inline int32x4_t dcp_gather(const int32_t *z) {
    const uint64x2_t groups = {0, DCP_GROUPS / 2 * 8 * sizeof *z};
    return vreinterpretq_s32_s64(
        vldrdq_gather_offset_s64((const int64_t *)(const void *)z, groups));
}

static inline void dcp_exchange(int32_t *p, int32_t *q) {
    const int32x4_t a = vld1q_s32(p), b = vld1q_s32(p + DCP_POINTS);
    const int32x4_t c = vld1q_s32(q), d = vld1q_s32(q + DCP_POINTS);
    dcp_scatter(q, a);
    dcp_scatter(q + 2, b);
    dcp_scatter(p, c);
    dcp_scatter(p + 2, d);
}
#else
static inline void dcp_swap(int32_t *a, int32_t *b) {
    const dcp_complex first = dcp_load(a);
    dcp_store(a, dcp_load(b));
    dcp_store(b, first);
}

static inline void dcp_exchange(int32_t *p, int32_t *q) {
    dcp_swap(p + 2, q + DCP_POINTS);
    if (p != q) {
        dcp_swap(p, q);
        dcp_swap(p + DCP_POINTS, q + 2);
        dcp_swap(p + DCP_POINTS + 2, q + DCP_POINTS + 2);
    }
}
#endif

static inline void dcp_reverse(int32_t *z) {
    for (size_t g = 0; g < DCP_GROUPS; g++) {
        const size_t reversed = dcp_reversed_group(g);
        if (g <= reversed) {
            dcp_exchange(z + 4 * g, z + 4 * reversed);
        }
    }
}

/* ---- Section 4, step 2: what comes before dcp_stages, of values in their order ---- */

#if DCP_HELIUM
static inline void dcp_first_stages_in_place(int32_t *z) {
    for (size_t n = 0; n < DCP_GROUPS; n += 2) {
        const int32_t *group = z + 8 * dcp_reversed_group(n);
        dcp_first_quads(z, n, dcp_gather(group), dcp_gather(group + 2), dcp_gather(group + 4),
                        dcp_gather(group + 6));
    }
}
#elif DCP_SIMD && !DCP_ODD_STAGES
/* In assembly, as in dyncp_dsp_fft.h. */
static inline void dcp_first_stages_in_place(int32_t *z) {
    register int32_t *at __asm__("lr") = z;
    register const int32_t *end __asm__("ip") = z + 2 * DCP_POINTS;
    register int32_t factor __asm__("r8") = DCP_MINUS_J;
    __asm__ volatile("str r7, [sp, #-8]!\n"
                     "1:\n\t"
                     "ldmia lr, {r0, r1, r2, r3, r4, r5, r6, r7}\n\t" DCP_QUAD0(
                         "r0") "stmia lr!, {r0, r1, r2, r3, r4, r5, r6, r7}\n\t"
                               "cmp lr, ip\n\t"
                               "bne 1b\n\t"
                               "ldr r7, [sp], #8"
                     : "+r"(at)
                     : "r"(end), "r"(factor)
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r9", "r10", "r11", "cc",
                       "memory");
}
#else
static inline void dcp_first_stages_in_place(int32_t *z) {
    for (size_t g = 0; g < DCP_GROUPS; g++) {
        const int32_t *n = z + 8 * g;
        dcp_first_quad(z, g, dcp_load(n), dcp_load(n + 2), dcp_load(n + 4), dcp_load(n + 6));
    }
}
#endif

/* z[points] becomes its DFT divided by their number. */
DYNCP_ONCE static void dcp_fft_in_place(const int32_t *twiddle, int32_t *z) {
    dcp_reverse(z);
    dcp_first_stages_in_place(z);
    dcp_stages(twiddle, z);
}

/* ---- Sections 3 and 8 ---- */

#ifdef DYNCP_FRAMES_H

/* dcp_frame_analysis without work space. */
static inline uint32_t dcp_frame_analysis_in_place(const dcp_framing *f, const int16_t *window,
                                                   const int32_t *twiddle, const int16_t *in,
                                                   int16_t *history, int32_t *x) {
    const size_t hop = f->hop, past = f->analysis - hop, silent = 2 * DCP_POINTS - f->analysis;
    if (dcp_is_silent(in, hop) && dcp_is_silent(history, past)) {
        return 1;
    }
    (void)memset(x, 0, silent * sizeof *x);
    /* The oldest hop is done with, the others move up. */
    dcp_frame_window(window, history, hop, history, x + silent);
    dcp_frame_window(window + hop, history + hop, past - hop, history, x + silent + hop);
    dcp_frame_window(window + past, in, hop, history + (past - hop), x + silent + past);
    dcp_fft_in_place(twiddle, x);
    dcp_split(twiddle, x);
    return 0;
}

/* dcp_frame_synthesis without work space. */
static inline void dcp_frame_synthesis_in_place(const dcp_framing *f, const int16_t *window,
                                                const int32_t *twiddle, const uint8_t *bands,
                                                int32_t *x, const uint16_t *mask, int32_t *overlap,
                                                int16_t *out) {
    dcp_merge(twiddle, bands, mask, x);
    dcp_fft_in_place(twiddle, x);
    dcp_frame_overlap_add(f, window, x + (2 * DCP_POINTS - f->synthesis), overlap, out);
}

#else

/* dcp_synthesis without work space; the analysis needs none. */
static inline void dcp_synthesis_in_place(const int16_t *window, const int32_t *twiddle,
                                          const uint8_t *bands, int32_t *x, const uint16_t *mask,
                                          int32_t *overlap, int16_t *out) {
    dcp_merge(twiddle, bands, mask, x);
    dcp_fft_in_place(twiddle, x);
    dcp_overlap_add(window, x, overlap, out);
}

#endif

#endif
