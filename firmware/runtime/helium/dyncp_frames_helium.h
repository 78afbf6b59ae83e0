/* SPDX-License-Identifier: Apache-2.0 */
/* What comes before and after the transform on Helium: analysis, suppression and synthesis, four
 * bins at once. */
#ifndef DYNCP_FRAMES_HELIUM_H
#define DYNCP_FRAMES_HELIUM_H

#include <arm_mve.h>

#include "dyncp_bands.h"
#include "dyncp_features_helium.h"
#include "dyncp_fft_helium.h"

/* ---- Section 3: analysis ---- */

/* Four complex values, real and imaginary parts apart. */
typedef int32x4x2_t dcp_four;

/* Where the parts of four values lie that go downwards from z[6] on, and upwards from z[0] on. */
static inline uint32x4_t dcp_downwards(void) {
    const uint32x4_t places = {6, 4, 2, 0};
    return places;
}

/* z[0] to z[-3], complex. */
static inline dcp_four dcp_load_down(const int32_t *z) {
    dcp_four values;
    values.val[0] = vldrwq_gather_shifted_offset_s32(z - 6, dcp_downwards());
    values.val[1] = vldrwq_gather_shifted_offset_s32(z - 5, dcp_downwards());
    return values;
}

static inline void dcp_store_down(int32_t *z, int32x4_t re, int32x4_t im) {
    vstrwq_scatter_shifted_offset_s32(z - 6, dcp_downwards(), re);
    vstrwq_scatter_shifted_offset_s32(z - 5, dcp_downwards(), im);
}

/* VST2 of registers that gcc would else fill by way of memory. */
static inline void dcp_store_four(int32_t *z, int32x4_t re, int32x4_t im) {
    register int32x4_t first __asm__("q0") = re, second __asm__("q1") = im;
    __asm__ volatile("vst20.32 {q0, q1}, [%0]\n\t"
                     "vst21.32 {q0, q1}, [%0]"
                     :
                     : "r"(z), "w"(first), "w"(second)
                     : "memory");
}

/* Four values by the factors k to k + 3. */
static inline dcp_four dcp_twist_four(int32x4_t re, int32x4_t im, const int32_t *factors) {
    const dcp_four w = vld2q_s32(factors);
    dcp_four t;
    t.val[0] = vsubq_s32(vrmulhq_s32(re, w.val[0]), vrmulhq_s32(im, w.val[1]));
    t.val[1] = vaddq_s32(vrmulhq_s32(re, w.val[1]), vrmulhq_s32(im, w.val[0]));
    return t;
}

/* Step 3: the spectrum x[DCP_BINS] of real samples in place of the transform of their pairs; four k
 * at a time. VHADD halves the sum, which is e >> 1. */
static inline void dcp_split(const int32_t *twiddle, int32_t *x) {
    const int32_t re = x[0] >> 1, im = (x[1] >> 1) - (-x[1] >> 1);
    for (size_t k = 1; k <= DCP_POINTS / 2; k += 4) {
        int32_t *up = x + 2 * k, *down = x + 2 * (DCP_POINTS - k);
        const dcp_four a = vld2q_s32(up), b = dcp_load_down(down);
        const int32x4_t a_re = vshrq_n_s32(a.val[0], 1), a_im = vshrq_n_s32(a.val[1], 1);
        const int32x4_t b_re = vshrq_n_s32(b.val[0], 1);
        const int32x4_t b_im = vshrq_n_s32(vnegq_s32(b.val[1]), 1);
        const int32x4_t e_re = vhaddq_s32(a_re, b_re), e_im = vhaddq_s32(a_im, b_im);
        const dcp_four t =
            dcp_twist_four(vsubq_s32(a_im, b_im), vsubq_s32(b_re, a_re), twiddle + 2 * k);
        const int32x4_t sum_re = vaddq_s32(e_re, t.val[0]), sum_im = vaddq_s32(e_im, t.val[1]);
        dcp_store_down(down, vsubq_s32(e_re, t.val[0]), vsubq_s32(t.val[1], e_im));
        dcp_store_four(up, sum_re, sum_im);
    }
    x[0] = re + (im >> 1);
    x[1] = 0;
    x[2 * DCP_POINTS] = re - (im >> 1);
    x[2 * DCP_POINTS + 1] = 0;
}

/* ---- Section 6, back: suppression ---- */

/* As in dyncp_fft_scalar.h. */
static inline void dcp_suppression(const uint16_t *sigmoid, const int16_t *logits, uint16_t *mask,
                                   size_t count) {
    for (size_t k = 0; k < count; k += 8) {
        const mve_pred16_t there = vctp16q((uint32_t)(count - k));
        const uint16x8_t position =
            vaddq_n_u16(vreinterpretq_u16_s16(vldrhq_z_s16(logits + k, there)), 32768);
        const uint16x8_t i = vshrq_n_u16(position, 8);
        const int16x8_t f = vreinterpretq_s16_u16(vbicq_n_u16(position, 0xff00));
        const uint16x8_t s = vldrhq_gather_shifted_offset_u16(sigmoid, i);
        const int16x8_t slope =
            vreinterpretq_s16_u16(vsubq_u16(vldrhq_gather_shifted_offset_u16(sigmoid + 1, i), s));
        int16x8_t rise = vrshrnbq_n_s32(vdupq_n_s16(0), vmullbq_int_s16(slope, f), 8);
        rise = vrshrntq_n_s32(rise, vmulltq_int_s16(slope, f), 8);
        vstrhq_p_u16(mask + k, vaddq_u16(s, vreinterpretq_u16_s16(rise)), there);
    }
}

/* ---- Section 8: synthesis ---- */

/* Values of the mask at the bins k to k + 3, and k to k - 3, times 2^16. */
static inline int32x4_t dcp_mask_up(const uint8_t *bands, const uint16_t *mask, size_t k) {
    const uint32x4_t values = bands == NULL
                                  ? vldrhq_u32(mask + k)
                                  : vldrhq_gather_shifted_offset_u32(mask, vldrbq_u32(bands + k));
    return vreinterpretq_s32_u32(vshlq_n_u32(values, 16));
}

static inline int32x4_t dcp_mask_down(const uint8_t *bands, const uint16_t *mask, size_t k) {
    const uint32x4_t places = vshrq_n_u32(dcp_downwards(), 1);
    const uint32x4_t values = bands == NULL
                                  ? vldrhq_gather_shifted_offset_u32(mask + k - 3, places)
                                  : vldrhq_gather_shifted_offset_u32(
                                        mask, vldrbq_gather_offset_u32(bands + k - 3, places));
    return vreinterpretq_s32_u32(vshlq_n_u32(values, 16));
}

/* Steps 1 to 3: what the inverse transform takes, re and im exchanged, in place of the spectrum;
 * four k at a time. */
static inline void dcp_merge(const int32_t *twiddle, const uint8_t *bands, const uint16_t *mask,
                             int32_t *x) {
    const int32_t first = dcp_rmul2(x[0], mask[dcp_band_of(bands, 0)] * 65536);
    const int32_t last = dcp_rmul2(x[2 * DCP_POINTS], mask[dcp_band_of(bands, DCP_POINTS)] * 65536);
    for (size_t k = 1; k <= DCP_POINTS / 2; k += 4) {
        int32_t *up = x + 2 * k, *down = x + 2 * (DCP_POINTS - k);
        const int32x4_t up_mask = dcp_mask_up(bands, mask, k);
        const int32x4_t down_mask = dcp_mask_down(bands, mask, DCP_POINTS - k);
        const dcp_four a = vld2q_s32(up), b = dcp_load_down(down);
        const int32x4_t a_re = vrmulhq_s32(a.val[0], up_mask);
        const int32x4_t a_im = vrmulhq_s32(a.val[1], up_mask);
        const int32x4_t b_re = vrmulhq_s32(b.val[0], down_mask);
        const int32x4_t b_im = vrmulhq_s32(b.val[1], down_mask);
        const int32x4_t e_re = vhaddq_s32(a_re, b_re), e_im = vhsubq_s32(a_im, b_im);
        /* The twist of conj(o); t is its conjugate. */
        const dcp_four c = dcp_twist_four(vsubq_s32(a_re, b_re), vnegq_s32(vaddq_s32(a_im, b_im)),
                                          twiddle + 2 * k);
        const int32x4_t sum_re = vaddq_s32(e_im, c.val[0]), sum_im = vaddq_s32(e_re, c.val[1]);
        dcp_store_down(down, vsubq_s32(c.val[0], e_im), vsubq_s32(e_re, c.val[1]));
        dcp_store_four(up, sum_re, sum_im);
    }
    /* k = 0: both are real. */
    x[0] = (first - last) >> 1;
    x[1] = (first + last) >> 1;
}

#if DCP_POINTS == 256

/* ---- The standard frames ---- */

/* Section 3. */
static inline int32x4_t dcp_windowed(int32x4_t samples, const int16_t *window) {
    return vmulq_s32(samples, vldrhq_s32(window));
}

/* Steps 1 and 2 up to the stages h = 1 and 2; history[256] becomes in[256]. Addresses lie between
 * what is loaded, within reach of both. */
static inline void dcp_window(const int16_t *window, const int16_t *in, int16_t *history,
                              int32_t *z) {
    const int16_t *rising = window + 64, *falling = window + 64 + 256, *now = in + 64;
    int16_t *before = history + 64;
    for (size_t n = 0; n < 64; n += 2) {
        const int32x4_t a = dcp_windowed(vldrhq_s32(before - 64), rising - 64);
        const int32x4_t c = dcp_windowed(vldrhq_s32(before + 64), rising + 64);
        const int32x4_t b = vldrhq_s32(now - 64), d = vldrhq_s32(now + 64);
        vstrhq_s32(before - 64, b);
        vstrhq_s32(before + 64, d);
        dcp_first_quads(z, n, a, dcp_windowed(b, falling - 64), c, dcp_windowed(d, falling + 64));
        rising += 4;
        falling += 4;
        now += 4;
        before += 4;
    }
}

/* Section 8, step 4. Eight samples, apart as even and odd ones: q2 and q3 are z times the window,
 * whose halves go to the upper halves of words. im comes first: re and im are exchanged again. */
#define DCP_FADED(z, window, even, odd)                                                            \
    "vld20.32 {q0, q1}, [%[" z "]]\n\t"                                                            \
    "vldrh.u16 q4, [%[" window "]], #16\n\t"                                                       \
    "vld21.32 {q0, q1}, [%[" z "]]!\n\t"                                                           \
    "vshl.i32 q5, q4, #16\n\t"                                                                     \
    "vand q4, q4, q6\n\t"                                                                          \
    "vrmulh.s32 " even ", q1, q5\n\t"                                                              \
    "vrmulh.s32 " odd ", q0, q4\n\t"

/* VQRSHRN is rmul(sum, 2^27), saturated. */
static inline void dcp_overlap_add(const int16_t *window, const int32_t *z, int32_t *overlap,
                                   int16_t *out) {
    const int16_t *falling = window + DCP_HOP;
    const int32_t *later = z + DCP_HOP;
    register const uint32x4_t upper __asm__("q6") = vdupq_n_u32(0xffff0000u);
    __asm__ volatile("dls lr, %[passes]\n"
                     "1:\n\t" DCP_FADED("z", "window", "q5",
                                        "q4") "vld20.32 {q2, q3}, [%[overlap]]\n\t"
                                              "vld21.32 {q2, q3}, [%[overlap]]\n\t"
                                              "vadd.i32 q5, q5, q2\n\t"
                                              "vadd.i32 q4, q4, q3\n\t"
                                              "vqrshrnb.s32 q7, q5, #4\n\t"
                                              "vqrshrnt.s32 q7, q4, #4\n\t"
                                              "vstrh.16 q7, [%[out]], #16\n\t" DCP_FADED(
                                                  "later", "falling", "q2",
                                                  "q3") "vst20.32 {q2, q3}, [%[overlap]]\n\t"
                                                        "vst21.32 {q2, q3}, [%[overlap]]!\n\t"
                                                        "le lr, 1b"
                     : [z] "+r"(z), [later] "+r"(later), [window] "+r"(window),
                       [falling] "+r"(falling), [overlap] "+r"(overlap), [out] "+r"(out)
                     : [passes] "r"(DCP_HOP / 8), "w"(upper)
                     : "q0", "q1", "q2", "q3", "q4", "q5", "q7", "lr", "memory");
}

#endif

#endif
