/* SPDX-License-Identifier: Apache-2.0 */
/* The probes: weighted sums of mask bits. Section numbers refer to docs/arithmetic.md. */
#ifndef DYNCP_READOUT_H
#define DYNCP_READOUT_H

#include "dyncp_runtime.h"

/* Section 9: a probe table. Mask word i has features at the bits of informative[i]; their rows, in
 * the order of the bits, start at row base[i]. A row holds the weights of all outputs, int8 or
 * int16. */
typedef struct {
    const uint32_t *informative; /* [words] */
    const uint32_t *base;        /* [words] */
    size_t words, outputs;
} dcp_probes;

/* The row of the feature at `bit` (a power of two) of mask word i. */
static inline size_t dcp_probe_row(const dcp_probes *probes, size_t i, uint32_t bit) {
    return probes->base[i] + dcp_popcount(probes->informative[i] & (bit - 1u));
}

/* Brings sum[outputs], which accounts for the masks `seen`, up to date with `masks`: from frame to
 * frame, few words change, and few of their bits. */
static inline void dcp_probe8(const dcp_probes *probes, const int8_t *weight, const uint32_t *masks,
                              uint32_t *seen, int32_t *sum) {
    for (size_t i = 0; i < probes->words; i++) {
        const uint32_t flipped = masks[i] ^ seen[i];
        if (flipped == 0) {
            continue;
        }
        seen[i] = masks[i];
        for (uint32_t left = flipped & probes->informative[i]; left != 0; left &= left - 1u) {
            const uint32_t bit = left & (0u - left);
            const int8_t *row = weight + dcp_probe_row(probes, i, bit) * probes->outputs;
            if ((masks[i] & bit) != 0) {
                for (size_t o = 0; o < probes->outputs; o++) {
                    sum[o] += row[o];
                }
            } else {
                for (size_t o = 0; o < probes->outputs; o++) {
                    sum[o] -= row[o];
                }
            }
        }
    }
}

/* The same for weights of 16 bits. */
static inline void dcp_probe16(const dcp_probes *probes, const int16_t *weight,
                               const uint32_t *masks, uint32_t *seen, int32_t *sum) {
    for (size_t i = 0; i < probes->words; i++) {
        const uint32_t flipped = masks[i] ^ seen[i];
        if (flipped == 0) {
            continue;
        }
        seen[i] = masks[i];
        for (uint32_t left = flipped & probes->informative[i]; left != 0; left &= left - 1u) {
            const uint32_t bit = left & (0u - left);
            const int16_t *row = weight + dcp_probe_row(probes, i, bit) * probes->outputs;
            if ((masks[i] & bit) != 0) {
                for (size_t o = 0; o < probes->outputs; o++) {
                    sum[o] += row[o];
                }
            } else {
                for (size_t o = 0; o < probes->outputs; o++) {
                    sum[o] -= row[o];
                }
            }
        }
    }
}

/* An average that stands at word[count]. */
static inline void dcp_smooth_start(const int32_t *word, int32_t *average, size_t count) {
    for (size_t o = 0; o < count; o++) {
        average[o] = 256 * word[o];
    }
}

/* Moves average[count], which has 8 more fraction bits than word[count], towards it by 2^-shift of
 * the difference; signal[count] is the average without these bits. */
static inline void dcp_smooth(int shift, const int32_t *word, int32_t *average, int32_t *signal,
                              size_t count) {
    for (size_t o = 0; o < count; o++) {
        average[o] += (256 * word[o] - average[o]) >> shift;
        signal[o] = (average[o] + 128) >> 8;
    }
}

/* The index of the first largest of word[count]. */
static inline uint8_t dcp_first_largest(const int32_t *word, size_t count) {
    size_t best = 0;
    for (size_t o = 1; o < count; o++) {
        if (word[o] > word[best]) {
            best = o;
        }
    }
    return (uint8_t)best;
}

#endif
