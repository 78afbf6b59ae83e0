/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of rows of probe weights. Section numbers refer to docs/arithmetic.md. */
#ifndef DYNCP_ROWS_H
#define DYNCP_ROWS_H

#include "dyncp_flips.h"

#if DCP_HELIUM
#include <arm_mve.h>
#elif DCP_DSP
#include "dyncp_simd.h"
#endif

/* ---- Moves sum[outputs] by the rows of a list ---- */

#if DCP_HELIUM

static inline void dcp_move(int32_t *sum, size_t count, int32x4_t by) {
    if (count >= 4) {
        vst1q_s32(sum, vaddq_s32(vld1q_s32(sum), by));
        return;
    }
    const mve_pred16_t some = vctp32q((uint32_t)count);
    vstrwq_p_s32(sum, vaddq_s32(vldrwq_z_s32(sum, some), by), some);
}

/* By eight sums of 16 bits. */
static inline void dcp_move8(int32_t *sum, size_t count, int16x8_t total) {
    int16_t by[8];
    vstrhq_s16(by, total);
    dcp_move(sum, count, vldrhq_s32(by));
    if (count > 4) {
        dcp_move(sum + 4, count - 4, vldrhq_s32(by + 4));
    }
}

/* The sums of less than 256 rows of int8 fit 16 bits. */
static inline void dcp_add_rows8(const dcp_flips *flips, const void *weight, int32_t *sum,
                                 size_t outputs) {
    const uint16_t *const end = flips->listed + DCP_ROWS_LISTED;
    for (size_t from = 0; from < outputs; from += 16) {
        const int8_t *first = (const int8_t *)weight + from;
        int16x8_t low = vdupq_n_s16(0), high = low;
        const uint16_t *row = flips->listed;
        for (ptrdiff_t n = flips->up - row; n > 0; n--, row++) {
            const int8_t *w = first + (size_t)8 * *row;
            low = vaddq_s16(low, vldrbq_s16(w));
            high = vaddq_s16(high, vldrbq_s16(w + 8));
        }
        row = flips->down;
        for (ptrdiff_t n = end - row; n > 0; n--, row++) {
            const int8_t *w = first + (size_t)8 * *row;
            low = vsubq_s16(low, vldrbq_s16(w));
            high = vsubq_s16(high, vldrbq_s16(w + 8));
        }
        dcp_move8(sum + from, outputs - from, low);
        if (outputs - from > 8) {
            dcp_move8(sum + from + 8, outputs - from - 8, high);
        }
    }
}

static inline void dcp_add_rows16(const dcp_flips *flips, const void *weight, int32_t *sum,
                                  size_t outputs) {
    const uint16_t *const end = flips->listed + DCP_ROWS_LISTED;
    for (size_t from = 0; from < outputs; from += 8) {
        const int16_t *first = (const int16_t *)weight + from;
        int32x4_t low = vdupq_n_s32(0), high = low;
        const uint16_t *row = flips->listed;
        for (ptrdiff_t n = flips->up - row; n > 0; n--, row++) {
            const int16_t *w = first + (size_t)4 * *row;
            low = vaddq_s32(low, vldrhq_s32(w));
            high = vaddq_s32(high, vldrhq_s32(w + 4));
        }
        row = flips->down;
        for (ptrdiff_t n = end - row; n > 0; n--, row++) {
            const int16_t *w = first + (size_t)4 * *row;
            low = vsubq_s32(low, vldrhq_s32(w));
            high = vsubq_s32(high, vldrhq_s32(w + 4));
        }
        dcp_move(sum + from, outputs - from, low);
        if (outputs - from > 4) {
            dcp_move(sum + from + 4, outputs - from - 4, high);
        }
    }
}

#else

/* Sums of adjacent outputs, as many as fit eight registers: DCP_SUMS8 of int8, 8 of int16. */
typedef struct {
    uint32_t sum[8];
} dcp_sums;

#if DCP_DSP

/* The sums of less than 256 rows of int8 fit 16 bits. Four weights, 4 i to 4 i + 3, are added to
 * two sums of two: 4 i and 4 i + 2, and 4 i + 1 and 4 i + 3. */
#define DCP_SUMS8 ((size_t)16)

static inline uint32_t dcp_negated8(uint32_t sums) {
    return dcp_sub16(0, sums);
}

/* Moves `count` outputs, 16 or less. */
static inline void dcp_move8(const dcp_sums *sums, int32_t *sum, size_t count) {
    const size_t fours = count / 4;
    for (size_t i = 0; i < fours; i++) {
        const uint32_t even = sums->sum[2 * i], odd = sums->sum[2 * i + 1];
#if DCP_SIMD
        __asm__ volatile("ldm %[sum], {r4, r5, r6, r8}\n\t"
                         "sxtah r4, r4, %[even]\n\t"
                         "sxtah r5, r5, %[odd]\n\t"
                         "add r6, r6, %[even], asr #16\n\t"
                         "add r8, r8, %[odd], asr #16\n\t"
                         "stm %[sum]!, {r4, r5, r6, r8}"
                         : [sum] "+r"(sum)
                         : [even] "r"(even), [odd] "r"(odd)
                         : "r4", "r5", "r6", "r8", "memory");
#else
        sum[0] += dcp_low(even);
        sum[1] += dcp_low(odd);
        sum[2] += dcp_high(even);
        sum[3] += dcp_high(odd);
        sum += 4;
#endif
    }
    for (size_t o = 0; o < count % 4; o++) {
        const uint32_t two = sums->sum[2 * fours + o % 2];
        sum[o] += o < 2 ? dcp_low(two) : dcp_high(two);
    }
}

#if DCP_SIMD
/* Adds rows: 16 bytes of each, two registers at a time, which `add` adds to two sums each. Only the
 * end is left in memory; all else takes 13 registers. */
#define DCP_ADD_EACH(add)                                                                          \
    uint32_t x, y, z, *s = sums->sum;                                                              \
    __asm__("b 2f\n"                                                                               \
            "1: ldrh %[x], [%[row]], #2\n\t"                                                       \
            "add %[x], %[w], %[x], lsl #3\n\t"                                                     \
            "ldrd %[y], %[z], [%[x], #8]\n\t" add("%[y]", "%4", "%5")                              \
                add("%[z]", "%6", "%7") "ldrd %[y], %[z], [%[x]]\n\t" add("%[y]", "%0", "%1")      \
                    add("%[z]", "%2", "%3") "2: ldr %[x], %[end]\n\t"                              \
                                            "cmp %[row], %[x]\n\t"                                 \
                                            "bne 1b"                                               \
            : "+r"(s[0]), "+r"(s[1]), "+r"(s[2]), "+r"(s[3]), "+r"(s[4]), "+r"(s[5]), "+r"(s[6]),  \
              "+r"(s[7]), [row] "+r"(row), [x] "=&r"(x), [y] "=&r"(y), [z] "=&r"(z)                \
            : [w] "r"(weight), [end] "m"(end)                                                      \
            : "cc", "memory")
#define DCP_FOUR8(w, even, odd)                                                                    \
    "sxtab16 " even ", " even ", " w "\n\tsxtab16 " odd ", " odd ", " w ", ror #8\n\t"
#define DCP_TWO16(w, even, odd)                                                                    \
    "sxtah " even ", " even ", " w "\n\tadd " odd ", " odd ", " w ", asr #16\n\t"
#endif

static inline void dcp_add_each8(dcp_sums *sums, const int8_t *weight, const uint16_t *row,
                                 const uint16_t *end) {
#if DCP_SIMD
    DCP_ADD_EACH(DCP_FOUR8);
#else
    for (; row != end; row++) {
        for (size_t i = 0; i < 4; i++) {
            const uint32_t four = dcp_load32(weight + (size_t)8 * *row + 4 * i);
            sums->sum[2 * i] = dcp_add_even(sums->sum[2 * i], four);
            sums->sum[2 * i + 1] = dcp_add_odd(sums->sum[2 * i + 1], four);
        }
    }
#endif
}

#else

#define DCP_SUMS8 ((size_t)8)

static inline uint32_t dcp_negated8(uint32_t sum) {
    return 0u - sum;
}

static inline void dcp_move8(const dcp_sums *sums, int32_t *sum, size_t count) {
    /* A bound that is known keeps the sums in registers. */
    for (size_t o = 0; o < 8 && o < count; o++) {
        sum[o] += (int32_t)sums->sum[o];
    }
}

static inline void dcp_add_each8(dcp_sums *sums, const int8_t *weight, const uint16_t *row,
                                 const uint16_t *end) {
    for (; row != end; row++) {
        for (size_t o = 0; o < 8; o++) {
            const int32_t w = weight[(size_t)8 * *row + o];
            sums->sum[o] += (uint32_t)w;
        }
    }
}

#endif

static inline void dcp_add_each16(dcp_sums *sums, const int16_t *weight, const uint16_t *row,
                                  const uint16_t *end) {
#if DCP_DSP && DCP_SIMD
    DCP_ADD_EACH(DCP_TWO16);
#else
    for (; row != end; row++) {
        for (size_t o = 0; o < 8; o++) {
            const int32_t w = weight[(size_t)4 * *row + o];
            sums->sum[o] += (uint32_t)w;
        }
    }
#endif
}

static inline void dcp_add_rows8(const dcp_flips *flips, const void *weight, int32_t *sum,
                                 size_t outputs) {
    for (size_t from = 0; from < outputs; from += DCP_SUMS8) {
        const int8_t *w = (const int8_t *)weight + from;
        dcp_sums sums = {{0, 0, 0, 0, 0, 0, 0, 0}};
        dcp_add_each8(&sums, w, flips->down, flips->listed + DCP_ROWS_LISTED);
        for (size_t i = 0; i < 8; i++) {
            sums.sum[i] = dcp_negated8(sums.sum[i]);
        }
        dcp_add_each8(&sums, w, flips->listed, flips->up);
        dcp_move8(&sums, sum + from, outputs - from < DCP_SUMS8 ? outputs - from : DCP_SUMS8);
    }
}

static inline void dcp_add_rows16(const dcp_flips *flips, const void *weight, int32_t *sum,
                                  size_t outputs) {
    for (size_t from = 0; from < outputs; from += 8) {
        const int16_t *w = (const int16_t *)weight + from;
        dcp_sums sums = {{0, 0, 0, 0, 0, 0, 0, 0}};
        dcp_add_each16(&sums, w, flips->down, flips->listed + DCP_ROWS_LISTED);
        for (size_t i = 0; i < 8; i++) {
            sums.sum[i] = 0u - sums.sum[i];
        }
        dcp_add_each16(&sums, w, flips->listed, flips->up);
        for (size_t o = 0; o < 8 && from + o < outputs; o++) {
            sum[from + o] += (int32_t)sums.sum[o];
        }
    }
}

#endif

#endif
