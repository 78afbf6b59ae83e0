/* SPDX-License-Identifier: Apache-2.0 */
/* Features of single powers, values of the mask, and what they are of in a network that sees bands
 * instead of bins. Section numbers refer to docs/arithmetic.md. */
#ifndef DYNCP_BANDS_H
#define DYNCP_BANDS_H

#include "dyncp_layers.h"

/* Section 5: how many thresholds a power reaches. thresholds[127] is more than any power.
 * starts[4 e + f] is how many of them the least power reaches that begins there: 2^e (1 + f / 4),
 * or one less where that is odd, since the lowest bit is set. From there it is counted. */
static inline int8_t dcp_feature(const uint64_t *thresholds, const uint8_t *starts,
                                 uint64_t power) {
    /* The leading one and the two bits after it (zeros, where they are in the lower word). */
    const uint32_t high = (uint32_t)(power >> 32), word = high ? high : (uint32_t)power | 1;
    const uint32_t zeros = dcp_leading_zeros(word), bits = (word << zeros) >> 29;
    const uint32_t first = (high ? 4 * 62u : 4 * 30u) - 4 * zeros; /* may wrap, the sum does not */
    size_t reached = starts[first + bits];
    while (power >= thresholds[reached]) {
        reached++;
    }
    return (int8_t)reached;
}

static inline uint64_t dcp_square(int32_t a) {
    return (uint64_t)((int64_t)a * a);
}

static inline uint64_t dcp_power(const int32_t *bin) {
    return dcp_square(bin[0]) + dcp_square(bin[1]);
}

/* That of the bins from x up to `end`, one at least. */
static inline uint64_t dcp_powers(const int32_t *x, const int32_t *end) {
    uint64_t sum = dcp_power(x);
    x += 2;
#if DCP_ARM
    /* SMLAL, which gcc does not take for it; two bins in a pass. */
    if (((end - x) & 2) != 0) {
        sum += dcp_power(x);
        x += 2;
    }
    if (x != end) {
        int32_t re, im;
        __asm__ volatile("1:\n\t"
                         "ldrd %[re], %[im], [%[x]], #8\n\t"
                         "smlal %Q[sum], %R[sum], %[re], %[re]\n\t"
                         "smlal %Q[sum], %R[sum], %[im], %[im]\n\t"
                         "ldrd %[re], %[im], [%[x]], #8\n\t"
                         "smlal %Q[sum], %R[sum], %[re], %[re]\n\t"
                         "smlal %Q[sum], %R[sum], %[im], %[im]\n\t"
                         "cmp %[x], %[end]\n\t"
                         "bne 1b"
                         : [sum] "+r"(sum), [x] "+r"(x), [re] "=&r"(re), [im] "=&r"(im)
                         : [end] "r"(end)
                         : "cc", "memory");
    }
#else
    for (; x < end; x += 2) {
        sum += dcp_power(x);
    }
#endif
    return sum;
}

/* The mean of a sum of powers: times the reciprocal of their number in Q32, by halves. The
 * reciprocal of 1 does not fit, and is not needed: it stands as 0. */
static inline uint64_t dcp_band_mean(uint64_t sum, uint32_t reciprocal) {
    return (reciprocal == 0u)
               ? sum
               : (((sum >> 32) * reciprocal) + (((sum & 0xffffffffu) * reciprocal) >> 32));
}

/* Section 6, back: a logit to the suppression mask, by linear interpolation in sigmoid[257]. */
static inline uint16_t dcp_suppression_of(const uint16_t *sigmoid, int32_t logit) {
    const uint16_t *middle = sigmoid + 128;
    const int32_t i = logit >> 8, f = logit & 255;
    return (uint16_t)(middle[i] + (((middle[i + 1] - middle[i]) * f + 128) >> 8));
}

/* Whose value of the mask a bin takes: its band's, or its own where bands[257] is NULL. */
static inline size_t dcp_band_of(const uint8_t *bands, size_t bin) {
    return (bands == NULL) ? bin : bands[bin];
}

#endif
