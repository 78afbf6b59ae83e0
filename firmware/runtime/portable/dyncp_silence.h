/* SPDX-License-Identifier: Apache-2.0 */
/* Digital silence: of a window of zeros the spectrum is 0, its features are 0, and what it adds to
 * the output is 0 (docs/arithmetic.md, sections 3 to 5 and 8), so that none of them is computed. */
#ifndef DYNCP_SILENCE_H
#define DYNCP_SILENCE_H

#include "dyncp_runtime.h"

#if DCP_HELIUM
#include <arm_mve.h>
#elif DCP_ARM
/* Whether any word from `at` to `end`, a multiple of eight, is not 0. */
static inline uint32_t dcp_any_word(const void *at, const void *end) {
    uint32_t any;
    __asm__ volatile("1:\n\t"
                     "ldmia %[at]!, {r0, r1, r2, r3, r4, r5, r6, r8}\n\t"
                     "orrs r0, r0, r1\n\t"
                     "orrs r2, r2, r3\n\t"
                     "orrs r4, r4, r5\n\t"
                     "orr r6, r6, r8\n\t"
                     "orrs r0, r0, r2\n\t"
                     "orrs r4, r4, r6\n\t"
                     "orrs %[any], r0, r4\n\t"
                     "bne 2f\n\t"
                     "cmp %[at], %[end]\n\t"
                     "bne 1b\n"
                     "2:"
                     : [at] "+r"(at), [any] "=&r"(any)
                     : [end] "r"(end)
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "cc", "memory");
    return any;
}
#endif

/* Whether all of `count` samples are 0, a multiple of 16. Ends with the first 16 that are not. */
static inline int dcp_is_silent(const int16_t *samples, size_t count) {
#if DCP_HELIUM
    for (const int16_t *end = samples + count; samples != end; samples += 16) {
        const int16x8_t both = vorrq_s16(vld1q_s16(samples), vld1q_s16(samples + 8));
        if (vmaxvq_u16(0, vreinterpretq_u16_s16(both)) != 0) {
            return 0;
        }
    }
    return 1;
#else
#if DCP_ARM
    if (((uintptr_t)samples & 3u) == 0u) {
        return dcp_any_word(samples, samples + count) == 0u;
    }
#endif
    size_t n = 0;
    while ((n < count) && (samples[n] == 0)) {
        n++;
    }
    return n == count;
#endif
}

/* The same of a multiple of 8 sums. */
static inline int dcp_is_faded(const int32_t *sums, size_t count) {
#if DCP_HELIUM
    for (const int32_t *end = sums + count; sums != end; sums += 8) {
        const int32x4_t both = vorrq_s32(vld1q_s32(sums), vld1q_s32(sums + 4));
        if (vmaxvq_u32(0, vreinterpretq_u32_s32(both)) != 0) {
            return 0;
        }
    }
    return 1;
#elif DCP_ARM
    return dcp_any_word(sums, sums + count) == 0u;
#else
    size_t n = 0;
    while ((n < count) && (sums[n] == 0)) {
        n++;
    }
    return n == count;
#endif
}

/* Section 8, step 4, for a spectrum that is 0: what earlier frames left goes to out[hop]. `scale`
 * is of rmul(sum, scale / 2). */
static inline void dcp_fade_out(const int32_t *overlap, size_t hop, int32_t scale, int16_t *out) {
    for (size_t n = 0; n < hop; n++) {
        out[n] = dcp_sat16(dcp_rmul2(overlap[n], scale));
    }
}

#endif
