/* SPDX-License-Identifier: Apache-2.0 */
/* Section 5 of docs/arithmetic.md on Helium: the features of four bins, or of the mean powers of
 * four bands, at once. */
#ifndef DYNCP_FEATURES_HELIUM_H
#define DYNCP_FEATURES_HELIUM_H

#include <arm_mve.h>

#include "dyncp_runtime.h"

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

/* Those of four bins. */
static inline uint32x4_t dcp_features_from(const uint64_t *thresholds, const uint8_t *starts,
                                           const int32_t *x) {
    const int32x4x2_t bins = vld2q_s32(x);
    return dcp_features4(thresholds, starts, bins.val[0], bins.val[1]);
}

/* As in dyncp_fft_scalar.h; the last four begin among the four before. */
static inline void dcp_features(const uint64_t *thresholds, const uint8_t *starts, const int32_t *x,
                                int8_t *features) {
    for (size_t k = 0; k < DCP_BINS; k += k == DCP_POINTS - 4 ? 1 : 4) {
        vstrbq_u32((uint8_t *)features + k, dcp_features_from(thresholds, starts, x + 2 * k));
    }
}

/* The sum of x[count]^2, lower word first. */
static inline void dcp_squares(const int32_t *x, size_t count, uint32_t *sum) {
    int64_t words = 0;
    int32x4_t v;
    __asm__ volatile("wlstp.32 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrw.32 %q[v], [%[x]], #16\n\t"
                     "vmlaldava.s32 %Q[words], %R[words], %q[v], %q[v]\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [words] "+r"(words), [x] "+r"(x), [v] "=&w"(v)
                     : [count] "r"(count)
                     : "lr", "cc", "memory");
    sum[0] = (uint32_t)words;
    sum[1] = (uint32_t)((uint64_t)words >> 32);
}

/* Four features of mean powers: dcp_band_mean of sums whose words are apart. */
static inline uint32x4_t dcp_features_of(const uint64_t *thresholds, const uint8_t *starts,
                                         uint32x4x2_t sums, uint32x4_t reciprocals) {
    const uint32x4_t low = sums.val[0], high = sums.val[1];
    const mve_pred16_t alone = vcmpeqq_u32(reciprocals, vdupq_n_u32(0));
    const uint32x4_t upper = vmulq_u32(high, reciprocals), lower = vmulhq_u32(low, reciprocals);
    const uint32x4_t carry = vshrq_n_u32(vhaddq_u32(upper, lower), 31);
    const uint32x4_t mean_high = vaddq_u32(vmulhq_u32(high, reciprocals), carry);
    return dcp_reached4(thresholds, starts, vpselq_u32(high, mean_high, alone),
                        vpselq_u32(low, vaddq_u32(upper, lower), alone));
}

/* As in dyncp_fft_scalar.h; four bins, or the mean powers of four bands, wait for each other. */
DCP_IN_CODE static inline void dcp_band_features(const uint64_t *thresholds, const uint8_t *starts,
                                                 const uint16_t *edges, const uint32_t *reciprocals,
                                                 size_t bands, const int32_t *x, int8_t *features) {
    uint32_t sums[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (size_t first = 0; first < bands; first += 4) {
        const size_t count = bands - first < 4 ? bands - first : 4;
        uint8_t *to = (uint8_t *)features + first;
        size_t begin = edges[first];
        if (count == 4 && edges[first + 4] - begin == 4) {
            vstrbq_u32(to, dcp_features_from(thresholds, starts, x + 2 * begin));
            continue;
        }
        for (size_t b = 0; b < count; b++) {
            const size_t end = edges[first + b + 1];
            dcp_squares(x + 2 * begin, 2 * (end - begin), sums + 2 * b);
            begin = end;
        }
        const mve_pred16_t there = vctp32q((uint32_t)count);
        const uint32x4_t reached = dcp_features_of(thresholds, starts, vld2q_u32(sums),
                                                   vldrwq_z_u32(reciprocals + first, there));
        vstrbq_p_u32(to, reached, there);
    }
}

#endif
