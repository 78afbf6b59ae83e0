/* SPDX-License-Identifier: Apache-2.0 */
/* Features of single powers, and both ends of a network that sees bands instead of bins. Section
 * numbers refer to docs/arithmetic.md. */
#ifndef DYNCP_BANDS_H
#define DYNCP_BANDS_H

#include "dyncp_layers.h"

/* Section 5: how many thresholds a power reaches. thresholds[127] is more than any power.
 * starts[4 e + f] is how many of them 2^e (1 + f / 4) reaches: from there it is counted. */
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

static inline uint64_t dcp_power(const int32_t *bin) {
    return (uint64_t)((int64_t)bin[0] * bin[0]) + (uint64_t)((int64_t)bin[1] * bin[1]);
}

/* The mean of a sum of powers: times the reciprocal of their number in Q32, by halves. */
static inline uint64_t dcp_band_mean(uint64_t sum, uint32_t reciprocal) {
    return (sum >> 32) * reciprocal + (((sum & 0xffffffffu) * reciprocal) >> 32);
}

/* Spectrum x[257] to features[bands]; band b has the bins edges[b] to edges[b + 1] - 1. */
DCP_KERNEL void dcp_band_features(const uint64_t *thresholds, const uint8_t *starts,
                                  const uint16_t *edges, const uint32_t *reciprocals, size_t bands,
                                  const int32_t *x, int8_t *features) {
    for (size_t b = 0; b < bands; b++) {
        const int32_t *end = x + 2 * (edges[b + 1] - edges[b]);
        uint64_t power = dcp_power(x);
        for (x += 2; x < end; x += 2) {
            power += dcp_power(x);
        }
        /* The reciprocal of 1 does not fit, and is not needed. */
        if (reciprocals[b] != 0) {
            power = dcp_band_mean(power, reciprocals[b]);
        }
        features[b] = dcp_feature(thresholds, starts, power);
    }
}

/* Section 6, back: a logit to the suppression mask, by linear interpolation in sigmoid[257]. */
static inline uint16_t dcp_suppression_of(const uint16_t *sigmoid, int32_t logit) {
    const uint16_t *middle = sigmoid + 128;
    const int32_t i = logit >> 8, f = logit & 255;
    return (uint16_t)(middle[i] + (((middle[i + 1] - middle[i]) * f + 128) >> 8));
}

/* logits[bands] to the suppression mask[257], constant over a band. */
DCP_KERNEL void dcp_band_suppression(const uint16_t *sigmoid, const uint16_t *edges, size_t bands,
                                     const int16_t *logits, uint16_t *mask) {
    for (size_t b = 0; b < bands; b++) {
        const uint16_t value = dcp_suppression_of(sigmoid, logits[b]);
        const uint16_t *end = mask + (edges[b + 1] - edges[b]);
        do {
            *mask++ = value;
        } while (mask < end);
    }
}

#endif
