/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms of every size, and analysis and synthesis with the standard frames: 256 samples to 257
 * bins and back. Section numbers refer to docs/arithmetic.md.
 *
 * DCP_POINTS is the size: the complex values of a transform, half its real ones. A library of other
 * frames than the standard ones defines it, and has analysis and synthesis from dyncp_frames.h.
 *
 * Arrays of complex values are int32_t, re and im interleaved. `twiddle` is twice the table of
 * section 2, so that dcp_rmul2 takes it as it is. With DYNCP_PORTABLE defined, plain C is taken on
 * every core. */
#ifndef DYNCP_FFT_H
#define DYNCP_FFT_H

#include <string.h>

#include "dyncp_runtime.h"
#include "dyncp_silence.h"

#ifndef DCP_POINTS
#define DCP_POINTS 256
#endif
#define DCP_HOP 256
#define DCP_BINS (DCP_POINTS + 1)

/* Whether the number of stages is odd. They are taken in pairs, but for the first one. */
#if DCP_POINTS == 128 || DCP_POINTS == 512
#define DCP_ODD_STAGES 1
#else
#define DCP_ODD_STAGES 0
#endif

/* The first pass is on four values at a time: so many groups of them. */
#define DCP_GROUPS (DCP_POINTS / 4)

/* The reversed bits of 6-bit numbers. */
static const uint8_t dcp_reversed[64] = {
    0,  32, 16, 48, 8,  40, 24, 56, 4,  36, 20, 52, 12, 44, 28, 60, 2,  34, 18, 50, 10, 42,
    26, 58, 6,  38, 22, 54, 14, 46, 30, 62, 1,  33, 17, 49, 9,  41, 25, 57, 5,  37, 21, 53,
    13, 45, 29, 61, 3,  35, 19, 51, 11, 43, 27, 59, 7,  39, 23, 55, 15, 47, 31, 63};

/* Those of a group's number, of as many bits as it has: 4 to 7. */
static inline size_t dcp_reversed_group(size_t g) {
    return dcp_reversed[g % 64] * (size_t)DCP_GROUPS / 64 + g / 64;
}

#if DCP_HELIUM
#include "dyncp_frames_helium.h"
#else
#include "dyncp_fft_scalar.h"
#endif

/* Section 4: z[points] becomes the DFT of in[points] divided by their number. */
static inline void dcp_fft(const int32_t *twiddle, const int32_t *in, int32_t *z) {
    dcp_first_stages(in, z);
    dcp_stages(twiddle, z);
}

#if DCP_POINTS == 256

/* ---- The standard frames ---- */

/* Section 3: in[256] to the spectrum x[257]; history[256] is the previous hop. Returns 1 where both
 * are silent: then the spectrum is 0 and not written, and the history is what it was. */
static inline uint32_t dcp_analysis(const int16_t *window, const int32_t *twiddle,
                                    const int16_t *in, int16_t *history, int32_t *x) {
    if (dcp_is_silent(in, DCP_HOP) && dcp_is_silent(history, DCP_HOP)) {
        return 1;
    }
    dcp_window(window, in, history, x);
    dcp_stages(twiddle, x);
    dcp_split(twiddle, x);
    return 0;
}

/* Section 8: spectrum x[257], which is lost, and suppression mask to out[256], one hop late;
 * bands[257] tells whose value of the mask each bin takes, and is NULL for a mask[257]. z[256] is
 * work space. */
static inline void dcp_synthesis(const int16_t *window, const int32_t *twiddle,
                                 const uint8_t *bands, int32_t *x, const uint16_t *mask,
                                 int32_t *overlap, int32_t *z, int16_t *out) {
    dcp_merge(twiddle, bands, mask, x);
    dcp_fft(twiddle, x, z);
    dcp_overlap_add(window, z, overlap, out);
}

/* The same of a spectrum that is 0. */
static inline void dcp_silent_synthesis(int32_t *overlap, int16_t *out) {
    if (dcp_is_faded(overlap, DCP_HOP)) {
        (void)memset(out, 0, DCP_HOP * sizeof *out);
    } else {
        dcp_fade_out(overlap, DCP_HOP, (int32_t)1 << 28, out);
        (void)memset(overlap, 0, DCP_HOP * sizeof *overlap);
    }
}

#endif

#endif
