/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of dyncp_fft.h on Helium: two complex values in a vector, re and im interleaved as in
 * memory.
 *
 * VRMULH(a, 2 m) rounds as rmul(a, m) does, and so does VQRDMULH(a, m). VCADD adds the second
 * operand times j (90 degrees) or -j (270): what is multiplied by j or exchanged costs nothing. */
#ifndef DYNCP_FFT_HELIUM_H
#define DYNCP_FFT_HELIUM_H

#include <arm_mve.h>

#include "dyncp_bands.h"
#include "dyncp_runtime.h"

/* ---- Sections 3 and 4: twist, and butterfly ---- */

/* Two twiddle factors, each part twice as often. */
typedef struct {
    int32x4_t re, im;
} dcp_factors;

/* Factor k and the one `step` after it. */
static inline dcp_factors dcp_load_factors(const int32_t *twiddle, size_t k, size_t step) {
    const uint32x4_t at = vmulq_n_u32(vshrq_n_u32(vidupq_n_u32(0, 1), 1), (uint32_t)(2 * step));
    dcp_factors w;
    w.re = vldrwq_gather_shifted_offset_s32(twiddle + 2 * k, at);
    w.im = vldrwq_gather_shifted_offset_s32(twiddle + 2 * k + 1, at);
    return w;
}

/* One factor, as section 2 has it, for both of two values. */
typedef struct {
    int32_t re, im;
} dcp_factor;

static inline dcp_factor dcp_load_factor(const int32_t *twiddle, size_t k) {
    dcp_factor w;
    w.re = twiddle[2 * k] >> 1;
    w.im = twiddle[2 * k + 1] >> 1;
    return w;
}

/* re = q.re w.re - q.im w.im, im = q.im w.re + q.re w.im, each product rounded. */
static inline int32x4_t dcp_twist(int32x4_t q, dcp_factors w) {
    return vcaddq_rot90_s32(vrmulhq_s32(q, w.re), vrmulhq_s32(q, w.im));
}

static inline int32x4_t dcp_twist_both(int32x4_t q, dcp_factor w) {
    return vcaddq_rot90_s32(vqrdmulhq_n_s32(q, w.re), vqrdmulhq_n_s32(q, w.im));
}

static inline void dcp_butterfly(int32x4_t *p, int32x4_t *q, int32x4_t t) {
    const int32x4_t half = vshrq_n_s32(*p, 1);
    *p = vaddq_s32(half, t);
    *q = vsubq_s32(half, t);
}

/* ---- Section 4: fft256 ---- */

/* Inputs n and n + 1 belong to groups 32 apart. A scatter or gather of 64 bits, as those below,
 * needs addresses of words only: hence the casts by way of void. */
static inline void dcp_scatter(int32_t *z, int32x4_t values) {
    const uint64x2_t groups = {0, 32 * 8 * sizeof *z};
    vstrdq_scatter_offset_s64((int64_t *)(void *)z, groups, vreinterpretq_s64_s32(values));
}

/* The stages h = 1 and 2 on two groups of z, from the inputs n, n + 128, n + 64, n + 192 and those
 * after them. */
static inline void dcp_first_quads(int32_t *z, size_t n, int32x4_t a, int32x4_t b, int32x4_t c,
                                   int32x4_t d) {
    int32_t *group = z + 8 * (size_t)dcp_reversed[n];
    dcp_butterfly(&a, &b, vshrq_n_s32(b, 1));
    dcp_butterfly(&c, &d, vshrq_n_s32(d, 1));
    dcp_butterfly(&a, &c, vshrq_n_s32(c, 1));
    dcp_scatter(group, a);
    dcp_scatter(group + 4, c);
    /* The twist by k = 128: w.re = 0, and the products with it; t = j times those with w.im. */
    const int32x4_t products = vqrdmulhq_n_s32(d, -(((int32_t)1 << 30) - 1));
    const int32x4_t half = vshrq_n_s32(b, 1);
    dcp_scatter(group + 2, vcaddq_rot90_s32(half, products));
    dcp_scatter(group + 6, vcaddq_rot270_s32(half, products));
}

/* From in[256] to the stages h = 1 and 2. */
static inline void dcp_first_stages(const int32_t *in, int32_t *z) {
    for (size_t n = 0; n < 64; n += 2) {
        const int32_t *at = in + 2 * n;
        dcp_first_quads(z, n, vld1q_s32(at), vld1q_s32(at + 2 * 128), vld1q_s32(at + 2 * 64),
                        vld1q_s32(at + 2 * 192));
    }
}

/* One value each of two groups; no address of 64 bits is needed but for its words. */
static inline int32x4_t dcp_load_groups(const int32_t *z, uint64x2_t groups) {
    return vreinterpretq_s32_s64(
        vldrdq_gather_offset_s64((const int64_t *)(const void *)z, groups));
}

static inline void dcp_store_groups(int32_t *z, uint64x2_t groups, int32x4_t values) {
    vstrdq_scatter_offset_s64((int64_t *)(void *)z, groups, vreinterpretq_s64_s32(values));
}

/* Step 2, the stages h and 2 h, in registers: the values j, j + h, j + 2 h and j + 3 h of two
 * groups at once, which are twisted alike (dcp_quad in dyncp_fft_scalar.h). */
DCP_IN_CODE static inline void dcp_two_stages(const int32_t *twiddle, int32_t *z, size_t h) {
    /* In words: gcc 12 takes a variable 64-bit lane 1 from the wrong registers. */
    const uint32x4_t words = {0, 0, (uint32_t)(8 * h * sizeof *z), 0};
    const uint64x2_t groups = vreinterpretq_u64_u32(words);
    for (size_t j = 0; j < h; j++) {
        const size_t k = j * (256 / h);
        const dcp_factor first = dcp_load_factor(twiddle, k);
        const dcp_factor second = dcp_load_factor(twiddle, k / 2);
        const dcp_factor third = dcp_load_factor(twiddle, k / 2 + 128);
        int32_t *at = z + 2 * j;
        for (size_t left = 32 / h; left > 0; left--) {
            int32x4_t a = dcp_load_groups(at, groups), b = dcp_load_groups(at + 2 * h, groups);
            /* The twist by k = 0 halves. */
            dcp_butterfly(&a, &b, j == 0 ? vshrq_n_s32(b, 1) : dcp_twist_both(b, first));
            int32x4_t c = dcp_load_groups(at + 4 * h, groups);
            int32x4_t d = dcp_load_groups(at + 6 * h, groups);
            dcp_butterfly(&c, &d, j == 0 ? vshrq_n_s32(d, 1) : dcp_twist_both(d, first));
            dcp_butterfly(&a, &c, j == 0 ? vshrq_n_s32(c, 1) : dcp_twist_both(c, second));
            dcp_store_groups(at, groups, a);
            dcp_store_groups(at + 4 * h, groups, c);
            dcp_butterfly(&b, &d, dcp_twist_both(d, third));
            dcp_store_groups(at + 2 * h, groups, b);
            dcp_store_groups(at + 6 * h, groups, d);
            at += 16 * h;
        }
    }
}

/* The stages 64 and 128 of one group: j and j + 1 are neighbours, with factors of their own. */
DCP_IN_CODE static inline void dcp_last_quads(const int32_t *twiddle, int32_t *z, size_t j) {
    const dcp_factors first = dcp_load_factors(twiddle, 4 * j, 4);
    int32x4_t a = vld1q_s32(z), b = vld1q_s32(z + 2 * 64);
    int32x4_t c = vld1q_s32(z + 4 * 64), d = vld1q_s32(z + 6 * 64);
    int32x4_t from_b = dcp_twist(b, first), from_d = dcp_twist(d, first);
    if (j == 0) {
        /* The first of the two is the twist by k = 0. */
        from_b = vshrq_m_n_s32(from_b, b, 1, vctp32q(2));
        from_d = vshrq_m_n_s32(from_d, d, 1, vctp32q(2));
    }
    dcp_butterfly(&a, &b, from_b);
    dcp_butterfly(&c, &d, from_d);
    int32x4_t from_c = dcp_twist(c, dcp_load_factors(twiddle, 2 * j, 2));
    if (j == 0) {
        from_c = vshrq_m_n_s32(from_c, c, 1, vctp32q(2));
    }
    dcp_butterfly(&a, &c, from_c);
    vst1q_s32(z, a);
    vst1q_s32(z + 4 * 64, c);
    dcp_butterfly(&b, &d, dcp_twist(d, dcp_load_factors(twiddle, 2 * j + 128, 2)));
    vst1q_s32(z + 2 * 64, b);
    vst1q_s32(z + 6 * 64, d);
}

/* Step 2 from h = 4 on. */
DYNCP_ONCE static void dcp_stages(const int32_t *twiddle, int32_t *z) {
    dcp_two_stages(twiddle, z, 4);
    dcp_two_stages(twiddle, z, 16);
    dcp_last_quads(twiddle, z, 0);
    for (size_t j = 2; j < 64; j += 2) {
        dcp_last_quads(twiddle, z + 2 * j, j);
    }
}

/* ---- Section 3: analysis ---- */

static inline int32x4_t dcp_windowed(int32x4_t samples, const int16_t *window) {
    return vmulq_s32(samples, vldrhq_s32(window));
}

/* Steps 1 and 2 up to the stages h = 1 and 2; history[256] becomes in[256]. */
static inline void dcp_window(const int16_t *window, const int16_t *in, int16_t *history,
                              int32_t *z) {
    for (size_t n = 0; n < 64; n += 2) {
        const int16_t *w = window + 2 * n;
        int16_t *before = history + 2 * n;
        const int32x4_t a = dcp_windowed(vldrhq_s32(before), w);
        const int32x4_t c = dcp_windowed(vldrhq_s32(before + 128), w + 128);
        const int32x4_t now = vldrhq_s32(in + 2 * n), later = vldrhq_s32(in + 2 * n + 128);
        vstrhq_s32(before, now);
        vstrhq_s32(before + 128, later);
        dcp_first_quads(z, n, a, dcp_windowed(now, w + 256), c, dcp_windowed(later, w + 384));
    }
}

/* z[0] and z[-1], complex. */
static inline int32x4_t dcp_load_down(const int32_t *z) {
    const uint64x2_t places = {8, 0};
    return vreinterpretq_s32_s64(
        vldrdq_gather_offset_s64((const int64_t *)(const void *)(z - 2), places));
}

static inline void dcp_store_down(int32_t *z, int32x4_t values) {
    const uint64x2_t places = {8, 0};
    vstrdq_scatter_offset_s64((int64_t *)(void *)(z - 2), places, vreinterpretq_s64_s32(values));
}

static inline int32x4_t dcp_conjugate(int32x4_t z) {
    const int32x4_t signs = {1, -1, 1, -1};
    return vmulq_s32(z, signs);
}

/* Step 3: the spectrum x[257] of real samples in place of the transform x[256] of their pairs. */
static inline void dcp_split(const int32_t *twiddle, int32_t *x) {
    const int32_t re = x[0] >> 1, im = (x[1] >> 1) - (-x[1] >> 1);
    for (size_t k = 1; k <= 128; k += 2) {
        int32_t *up = x + 2 * k, *down = x + 2 * (256 - k);
        const int32x4_t a = vshrq_n_s32(vld1q_s32(up), 1);
        const int32x4_t b = vshrq_n_s32(dcp_conjugate(dcp_load_down(down)), 1);
        const int32x4_t e = vshrq_n_s32(vaddq_s32(a, b), 1), d = vsubq_s32(a, b);
        const int32x4_t o = vcaddq_rot270_s32(vdupq_n_s32(0), d);
        const int32x4_t t = dcp_twist(o, dcp_load_factors(twiddle, k, 1));
        dcp_store_down(down, dcp_conjugate(vsubq_s32(e, t)));
        vst1q_s32(up, vaddq_s32(e, t));
    }
    x[0] = re + (im >> 1);
    x[1] = 0;
    x[2 * 256] = re - (im >> 1);
    x[2 * 256 + 1] = 0;
}

/* ---- Section 5: features ---- */

/* Four features: the numbers of thresholds that powers, in an upper and a lower word, reach.
 *
 * Of 64 bits in two words: the sign of half the sum, or half the difference, of the lower words is
 * the carry, or borrow, of the upper ones. */
static inline uint32x4_t dcp_reached4(const uint64_t *thresholds, const uint8_t *starts,
                                      uint32x4_t high, uint32x4_t low) {
    /* The leading one and the two bits after it (zeros, where they are in the lower word). gcc 12
     * does not compile a comparison with the number 0. */
    const mve_pred16_t is_low = vcmpeqq_u32(high, vdupq_n_u32(0));
    const uint32x4_t word = vpselq_u32(vorrq_n_u32(low, 1), high, is_low);
    const uint32x4_t zeros = vclzq_u32(word);
    const uint32x4_t bits = vshrq_n_u32(vshlq_u32(word, vreinterpretq_s32_u32(zeros)), 29);
    uint32x4_t place = vsubq_u32(vaddq_n_u32(bits, 4 * 63 - 4), vshlq_n_u32(zeros, 2));
    place = vsubq_m_n_u32(place, place, 4 * 32, is_low);

    uint32x4_t reached = vldrbq_gather_offset_u32(starts, place);
    const uint32_t *words = (const uint32_t *)thresholds;
    for (;;) {
        const uint32x4_t at = vshlq_n_u32(reached, 1);
        const uint32x4_t next_low = vldrwq_gather_shifted_offset_u32(words, at);
        const uint32x4_t next_high = vldrwq_gather_shifted_offset_u32(words + 1, at);
        const uint32x4_t borrow = vshrq_n_u32(vhsubq_u32(low, next_low), 31);
        const int32x4_t excess =
            vreinterpretq_s32_u32(vsubq_u32(vsubq_u32(high, next_high), borrow));
        if (vmaxvq_s32(INT32_MIN, excess) < 0) {
            return reached;
        }
        /* 1 more where the excess is not negative. */
        reached =
            vaddq_u32(vaddq_n_u32(reached, 1), vreinterpretq_u32_s32(vshrq_n_s32(excess, 31)));
    }
}

/* Those of re^2 + im^2. */
static inline uint32x4_t dcp_features4(const uint64_t *thresholds, const uint8_t *starts,
                                       int32x4_t re, int32x4_t im) {
    const uint32x4_t low_re = vreinterpretq_u32_s32(vmulq_s32(re, re));
    const uint32x4_t low_im = vreinterpretq_u32_s32(vmulq_s32(im, im));
    const uint32x4_t carry = vshrq_n_u32(vhaddq_u32(low_re, low_im), 31);
    const int32x4_t high = vaddq_s32(vmulhq_s32(re, re), vmulhq_s32(im, im));
    return dcp_reached4(thresholds, starts, vaddq_u32(vreinterpretq_u32_s32(high), carry),
                        vaddq_u32(low_re, low_im));
}

/* As in dyncp_fft_scalar.h; the last four of the 257 begin at 253. */
static inline void dcp_features(const uint64_t *thresholds, const uint8_t *starts, const int32_t *x,
                                int8_t *features) {
    const uint32x4_t even = vidupq_n_u32(0, 2);
    for (size_t k = 0; k < DCP_BINS; k += k == 252 ? 1 : 4) {
        const int32x4_t re = vldrwq_gather_shifted_offset_s32(x + 2 * k, even);
        const int32x4_t im = vldrwq_gather_shifted_offset_s32(x + 2 * k + 1, even);
        vstrbq_u32((uint8_t *)features + k, dcp_features4(thresholds, starts, re, im));
    }
}

/* The sum of x[count]^2. */
static inline uint64_t dcp_squares(const int32_t *x, size_t count) {
    int64_t sum = 0;
    int32x4_t v;
    __asm__ volatile("wlstp.32 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrw.32 %q[v], [%[x]], #16\n\t"
                     "vmlaldava.s32 %Q[sum], %R[sum], %q[v], %q[v]\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [sum] "+r"(sum), [x] "+r"(x), [v] "=&w"(v)
                     : [count] "r"(count)
                     : "lr", "cc", "memory");
    return (uint64_t)sum;
}

/* As in dyncp_fft_scalar.h; the mean powers of four bands wait for each other. */
DCP_IN_CODE static inline void dcp_band_features(const uint64_t *thresholds, const uint8_t *starts,
                                                 const uint16_t *edges, const uint32_t *reciprocals,
                                                 size_t bands, const int32_t *x, int8_t *features) {
    for (size_t first = 0; first < bands; first += 4) {
        const size_t count = bands - first < 4 ? bands - first : 4;
        uint32_t low[4] = {0, 0, 0, 0}, high[4] = {0, 0, 0, 0};
        for (size_t b = 0; b < count; b++) {
            const size_t begin = edges[first + b], width = edges[first + b + 1] - begin;
            const uint64_t sum =
                width == 1 ? dcp_power(x + 2 * begin) : dcp_squares(x + 2 * begin, 2 * width);
            const uint64_t mean = dcp_band_mean(sum, reciprocals[first + b]);
            low[b] = (uint32_t)mean;
            high[b] = (uint32_t)(mean >> 32);
        }
        const uint32x4_t reached =
            dcp_reached4(thresholds, starts, vld1q_u32(high), vld1q_u32(low));
        vstrbq_p_u32((uint8_t *)features + first, reached, vctp32q((uint32_t)count));
    }
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

/* Step 1: two bins of the enhanced spectrum, halved. */
static inline int32x4_t dcp_suppressed(int32x4_t x, uint32x4_t mask) {
    return vrmulhq_s32(x, vreinterpretq_s32_u32(vshlq_n_u32(mask, 16)));
}

/* Values of the mask at two bins from k on: `places` says which, for re and im. */
static inline uint32x4_t dcp_mask_at(const uint8_t *bands, const uint16_t *mask, size_t k,
                                     uint32x4_t places) {
    return bands == NULL ? vldrhq_gather_shifted_offset_u32(mask + k, places)
                         : vldrhq_gather_shifted_offset_u32(
                               mask, vldrbq_gather_offset_u32(bands + k, places));
}

/* Steps 1 to 3: what the inverse transform takes, re and im exchanged, in place of x[257]. */
static inline void dcp_merge(const int32_t *twiddle, const uint8_t *bands, const uint16_t *mask,
                             int32_t *x) {
    const int32_t first = dcp_rmul2(x[0], mask[dcp_band_of(bands, 0)] * 65536);
    const int32_t last = dcp_rmul2(x[2 * 256], mask[dcp_band_of(bands, 256)] * 65536);
    const uint32x4_t up_places = {0, 0, 1, 1}, down_places = {1, 1, 0, 0};
    for (size_t k = 1; k <= 128; k += 2) {
        int32_t *up = x + 2 * k, *down = x + 2 * (256 - k);
        const int32x4_t a = dcp_suppressed(vld1q_s32(up), dcp_mask_at(bands, mask, k, up_places));
        const int32x4_t b =
            dcp_suppressed(dcp_load_down(down), dcp_mask_at(bands, mask, 255 - k, down_places));
        const int32x4_t e = vshrq_n_s32(vaddq_s32(a, dcp_conjugate(b)), 1);
        /* The twist of conj(o) = conj(a) - b; t is its conjugate. */
        const int32x4_t c =
            dcp_twist(vsubq_s32(dcp_conjugate(a), b), dcp_load_factors(twiddle, k, 1));
        /* Exchanged, e + j t is (e.im + c.re, e.re + c.im). */
        const int32x4_t exchanged = vrev64q_s32(e);
        dcp_store_down(down, dcp_conjugate(vsubq_s32(c, exchanged)));
        vst1q_s32(up, vaddq_s32(exchanged, c));
    }
    /* k = 0: both are real. */
    x[0] = (first - last) >> 1;
    x[1] = (first + last) >> 1;
}

/* Step 4, four samples: re and im are exchanged again. */
static inline int32x4_t dcp_faded(const int32_t *z, const int16_t *window) {
    return vrmulhq_s32(vrev64q_s32(vld1q_s32(z)), vshlq_n_s32(vldrhq_s32(window), 16));
}

static inline void dcp_overlap_add(const int16_t *window, const int32_t *z, int32_t *overlap,
                                   int16_t *out) {
    for (size_t n = 0; n < DCP_HOP; n += 4) {
        const int32x4_t sum = vaddq_s32(vld1q_s32(overlap + n), dcp_faded(z + n, window + n));
        /* rmul(sum, 2^27), saturated into the lower half of each word. */
        const int16x8_t samples = vqmovnbq_s32(vdupq_n_s16(0), vrshrq_n_s32(sum, 4));
        vstrhq_s32(out + n, vreinterpretq_s32_s16(samples));
        vst1q_s32(overlap + n, dcp_faded(z + DCP_HOP + n, window + DCP_HOP + n));
    }
}

#endif
