/* SPDX-License-Identifier: Apache-2.0 */
/* From scores to packed masks, and the cap on active channels. Section numbers refer to
 * docs/arithmetic.md. */
#ifndef DYNCP_MASKS_H
#define DYNCP_MASKS_H

#include "dyncp_layers.h"

#if DCP_HELIUM
#include <arm_mve.h>
#endif

/* How many of score[count] are above `bound`. */
static inline uint32_t dcp_above(const int32_t *score, size_t count, int32_t bound) {
    uint32_t above = 0;
    for (size_t n = 0; n < count; n++) {
        above += score[n] > bound;
    }
    return above;
}

/* The least 2^b - 1 that none of score[count], of which one is positive, is above. */
static inline int32_t dcp_ceiling(const int32_t *score, size_t count) {
    int32_t highest = 0, ceiling = INT32_MAX;
    for (size_t n = 0; n < count; n++) {
        highest = (score[n] > highest) ? score[n] : highest;
    }
    while ((ceiling / 2) >= highest) {
        ceiling /= 2;
    }
    return ceiling;
}

/* Section 6, block, step 3: mask of the `cap` highest of score[count], of equal ones the first,
 * where more than `cap` are positive. At most 32 passes find them, one writes them. */
DYNCP_ONCE static void dcp_cap(const int32_t *score, uint32_t *mask, size_t count, uint32_t cap) {
    /* Lower the bound bit by bit, to the least that not more than `cap` scores are above. Where as
     * many are above it as may, it is low enough. */
    int32_t bound = dcp_ceiling(score, count);
    uint32_t above = 0;
    for (int32_t step = (bound / 2) + 1; (step > 0) && (above < cap); step /= 2) {
        const uint32_t reached = dcp_above(score, count, bound - step);
        if (reached <= cap) {
            bound -= step;
            above = reached;
        }
    }
    uint32_t ties = cap - above;
    for (size_t first = 0; first < count; first += 32) {
        uint32_t word = 0;
        for (size_t bit = 0; bit < 32 && first + bit < count; bit++) {
            const int32_t value = score[first + bit];
            if (value > bound || (value == bound && ties > 0)) {
                word |= (uint32_t)1 << bit;
                ties -= value == bound;
            }
        }
        mask[first / 32] = word;
    }
}

#if DCP_HELIUM
/* Bit n is 1 where score[n] > 0, n < count <= 32. A predicate has one bit for each byte. */
static inline uint32_t dcp_signs(const int32_t *score, size_t count) {
    uint32_t word = 0;
    size_t n = 0;
    for (; n + 16 <= count; n += 16) {
        /* Words 4 i + k, in vector k, narrow to bytes in their order. */
        const int32x4x4_t v = vld4q_s32(score + n);
        int16x8_t even = vqmovnbq_s32(vreinterpretq_s16_s32(v.val[0]), v.val[0]);
        int16x8_t odd = vqmovnbq_s32(vreinterpretq_s16_s32(v.val[1]), v.val[1]);
        even = vqmovntq_s32(even, v.val[2]);
        odd = vqmovntq_s32(odd, v.val[3]);
        const int8x16_t all = vqmovntq_s16(vqmovnbq_s16(vreinterpretq_s8_s16(even), even), odd);
        word |= (uint32_t)vcmpgtq_n_s8(all, 0) << n;
    }
    for (; n < count; n += 4) {
        const int32x4_t v = vldrwq_z_s32(score + n, vctp32q((uint32_t)(count - n)));
        /* Bits 0, 5, 10 and 15 to 12, 13, 14 and 15: no two products share a bit. */
        const uint32_t four = (vcmpgtq_n_s32(v, 0) & 0x8421u) * 0x1111u >> 12 & 15u;
        word |= four << n;
    }
    return word;
}
#else
/* 1 where v > 0. */
static inline uint32_t dcp_positive(int32_t v) {
#if DCP_ARM
    __asm__("usat %0, #1, %0" : "+r"(v));
    return (uint32_t)v;
#else
    return v > 0;
#endif
}

/* Bit n is 1 where score[n] > 0, n < count <= 32. */
static inline uint32_t dcp_signs(const int32_t *score, size_t count) {
    uint32_t word = 0;
    /* A bound that does not wrap: gcc warns of one that could. */
    const size_t whole = count / 4 * 4;
    for (size_t n = 0; n < whole; n += 4) {
        const int32_t *four = score + n;
        word |= (dcp_positive(four[0]) | dcp_positive(four[1]) << 1 | dcp_positive(four[2]) << 2 |
                 dcp_positive(four[3]) << 3)
                << n;
    }
    for (size_t n = whole; n < count; n++) {
        word |= dcp_positive(score[n]) << n;
    }
    return word;
}
#endif

/* Section 6, block, step 3: packs the positive of score[count] into mask, at most `per_block` and
 * at most `left`, the frame's remaining channels. Returns the number of active channels. */
DCP_KERNEL uint32_t dcp_mask(const int32_t *score, uint32_t *mask, size_t count, uint32_t per_block,
                             uint32_t left) {
    const uint32_t cap = (per_block < left) ? per_block : left;
    uint32_t active = 0;
    for (size_t first = 0; first < count; first += 32) {
        const uint32_t word = dcp_signs(score + first, count - first < 32 ? count - first : 32);
        mask[first / 32] = word;
        active += dcp_popcount(word);
    }
    if (active <= cap) {
        return active;
    }
    dcp_cap(score, mask, count, cap);
    return cap;
}

#endif
