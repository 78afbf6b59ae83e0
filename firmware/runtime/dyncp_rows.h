/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of rows of probe weights. Section numbers refer to docs/arithmetic.md. */
#ifndef DYNCP_ROWS_H
#define DYNCP_ROWS_H

#include <string.h>

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

/* Sums of 16 outputs of the rows from `row` to `end`; of less than 256 rows of int8 they fit 16
 * bits. */
static inline int16x8x2_t dcp_total8(const uint16_t *row, const uint16_t *end,
                                     const int8_t *weight) {
    int16x8x2_t total = {{vdupq_n_s16(0), vdupq_n_s16(0)}};
    for (ptrdiff_t n = end - row; n > 0; n--, row++) {
        const int8_t *w = weight + (size_t)8 * *row;
        total.val[0] = vaddq_s16(total.val[0], vldrbq_s16(w));
        total.val[1] = vaddq_s16(total.val[1], vldrbq_s16(w + 8));
    }
    return total;
}

static inline void dcp_add_rows8(const dcp_flips *flips, const void *weight, int32_t *sum,
                                 size_t outputs) {
    const uint16_t *const end = flips->listed + DCP_ROWS_LISTED;
    for (size_t from = 0; from < outputs; from += 16) {
        const int8_t *w = (const int8_t *)weight + from;
        const int16x8x2_t up = dcp_total8(flips->listed, flips->up, w);
        const int16x8x2_t down = dcp_total8(flips->down, end, w);
        dcp_move8(sum + from, outputs - from, vsubq_s16(up.val[0], down.val[0]));
        if (outputs - from > 8) {
            dcp_move8(sum + from + 8, outputs - from - 8, vsubq_s16(up.val[1], down.val[1]));
        }
    }
}

static inline int32x4x2_t dcp_total16(const uint16_t *row, const uint16_t *end,
                                      const int16_t *weight) {
    int32x4x2_t total = {{vdupq_n_s32(0), vdupq_n_s32(0)}};
    for (ptrdiff_t n = end - row; n > 0; n--, row++) {
        const int16_t *w = weight + (size_t)4 * *row;
        total.val[0] = vaddq_s32(total.val[0], vldrhq_s32(w));
        total.val[1] = vaddq_s32(total.val[1], vldrhq_s32(w + 4));
    }
    return total;
}

static inline void dcp_add_rows16(const dcp_flips *flips, const void *weight, int32_t *sum,
                                  size_t outputs) {
    const uint16_t *const end = flips->listed + DCP_ROWS_LISTED;
    for (size_t from = 0; from < outputs; from += 8) {
        const int16_t *w = (const int16_t *)weight + from;
        const int32x4x2_t up = dcp_total16(flips->listed, flips->up, w);
        const int32x4x2_t down = dcp_total16(flips->down, end, w);
        dcp_move(sum + from, outputs - from, vsubq_s32(up.val[0], down.val[0]));
        if (outputs - from > 4) {
            dcp_move(sum + from + 4, outputs - from - 4, vsubq_s32(up.val[1], down.val[1]));
        }
    }
}

#else

/* Sums of adjacent outputs, as many as fit eight registers: DCP_SUMS8 of int8, 8 of int16. */
typedef struct {
    uint32_t sum[8];
} dcp_sums;

#if DCP_SIMD
/* Sums 16 bytes of each row, four of which `add` adds to two sums each. All registers are in use
 * but r7, which may be the frame pointer; on the stack lie the end of the rows, then `sums` and
 * `flips`. */
#define DCP_SUM_ROWS(add, subtract)                                                                \
    register dcp_sums *r0 __asm__("r0") = sums;                                                    \
    register const dcp_flips *r1 __asm__("r1") = flips;                                            \
    register const void *r2 __asm__("r2") = weight;                                                \
    __asm__ volatile(                                                                              \
        "add r3, r1, %[end]\n\t"                                                                   \
        "push {r0, r1}\n\t"                                                                        \
        "push {r3}\n\t"                                                                            \
        "ldr r3, [r1, %[down]]\n\t"                                                                \
        "mov r0, #0\n\t" DCP_ALL_SUMS(DCP_CLEAR) DCP_EACH_ROW(add)                                 \
            DCP_ALL_SUMS(subtract) "ldr r1, [sp, #8]\n\t"                                          \
                                   "ldr r3, [r1, %[up]]\n\t"                                       \
                                   "str r3, [sp]\n\t"                                              \
                                   "add r3, r1, %[listed]\n\t" DCP_EACH_ROW(                       \
                                       add) "pop {r3}\n\t"                                         \
                                            "pop {r0, r1}\n\t"                                     \
                                            "stm r0, {r4, r5, r6, r8, r9, r10, r11, r12}"          \
        : "+r"(r0), "+r"(r1), "+r"(r2)                                                             \
        : [up] "i"(offsetof(dcp_flips, up)), [down] "i"(offsetof(dcp_flips, down)),                \
          [listed] "i"(offsetof(dcp_flips, listed)),                                               \
          [end] "i"(offsetof(dcp_flips, listed) + sizeof flips->listed)                            \
        : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory")
#define DCP_EACH_ROW(add)                                                                          \
    "b 2f\n"                                                                                       \
    "1: ldrh r0, [r3], #2\n\t"                                                                     \
    "add r0, r2, r0, lsl #3\n\t"                                                                   \
    "ldrd r1, lr, [r0, #8]\n\t" add("r1", "r9", "r10")                                             \
        add("lr", "r11", "r12") "ldrd r1, lr, [r0]\n\t" add("r1", "r4", "r5")                      \
            add("lr", "r6", "r8") "2: ldr r0, [sp]\n\t"                                            \
                                  "cmp r3, r0\n\t"                                                 \
                                  "bne 1b\n\t"                                                     \
                                  "mov r0, #0\n\t"
#define DCP_ALL_SUMS(make)                                                                         \
    make("r4") make("r5") make("r6") make("r8") make("r9") make("r10") make("r11") make("r12")
#define DCP_CLEAR(sum) "mov " sum ", r0\n\t"
/* Bytes to sums of 16 bits, halves to sums of 32; and their signs changed, by the 0 in r0. */
#define DCP_ADD_BYTES(w, even, odd)                                                                \
    "sxtab16 " even ", " even ", " w "\n\tsxtab16 " odd ", " odd ", " w ", ror #8\n\t"
#define DCP_NEGATE_HALVES(sum) "ssub16 " sum ", r0, " sum "\n\t"
#define DCP_ADD_HALVES(w, low, high)                                                               \
    "sxtah " low ", " low ", " w "\n\tadd " high ", " high ", " w ", asr #16\n\t"
#define DCP_NEGATE(sum) "sub " sum ", r0, " sum "\n\t"
#endif

/* Adds eight weights of each row, int8 or, `wide`, int16. */
static inline void dcp_sum_plain(dcp_sums *sums, const uint16_t *row, const uint16_t *end,
                                 const void *weight, int wide) {
    for (; row != end; row++) {
        for (size_t o = 0; o < 8; o++) {
            const int32_t w = wide ? ((const int16_t *)weight)[(size_t)4 * *row + o]
                                   : ((const int8_t *)weight)[(size_t)8 * *row + o];
            sums->sum[o] += (uint32_t)w;
        }
    }
}

static inline void dcp_sum_eight(dcp_sums *sums, const dcp_flips *flips, const void *weight,
                                 int wide) {
    (void)memset(sums, 0, sizeof *sums);
    dcp_sum_plain(sums, flips->down, flips->listed + DCP_ROWS_LISTED, weight, wide);
    for (size_t o = 0; o < 8; o++) {
        sums->sum[o] = 0u - sums->sum[o];
    }
    dcp_sum_plain(sums, flips->listed, flips->up, weight, wide);
}

#if DCP_DSP

/* The sums of less than 256 rows of int8 fit 16 bits. Four weights, 4 i to 4 i + 3, are added to
 * two sums of two: 4 i and 4 i + 2, and 4 i + 1 and 4 i + 3. */
#define DCP_SUMS8 ((size_t)16)

#if DCP_SIMD

static inline void dcp_sum_rows8(dcp_sums *sums, const dcp_flips *flips, const int8_t *weight) {
    DCP_SUM_ROWS(DCP_ADD_BYTES, DCP_NEGATE_HALVES);
}

#else

static inline void dcp_sum_bytes(dcp_sums *sums, const uint16_t *row, const uint16_t *end,
                                 const int8_t *weight) {
    for (; row != end; row++) {
        for (size_t i = 0; i < 4; i++) {
            const uint32_t four = dcp_load32(weight + (size_t)8 * *row + 4 * i);
            sums->sum[2 * i] = dcp_add_even(sums->sum[2 * i], four);
            sums->sum[2 * i + 1] = dcp_add_odd(sums->sum[2 * i + 1], four);
        }
    }
}

static inline void dcp_sum_rows8(dcp_sums *sums, const dcp_flips *flips, const int8_t *weight) {
    (void)memset(sums, 0, sizeof *sums);
    dcp_sum_bytes(sums, flips->down, flips->listed + DCP_ROWS_LISTED, weight);
    for (size_t i = 0; i < 8; i++) {
        sums->sum[i] = dcp_sub16(0, sums->sum[i]);
    }
    dcp_sum_bytes(sums, flips->listed, flips->up, weight);
}

#endif

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
        sum[0] = dcp_wrap_add(sum[0], dcp_low(even));
        sum[1] = dcp_wrap_add(sum[1], dcp_low(odd));
        sum[2] = dcp_wrap_add(sum[2], dcp_high(even));
        sum[3] = dcp_wrap_add(sum[3], dcp_high(odd));
        sum += 4;
#endif
    }
    for (size_t o = 0; o < count % 4; o++) {
        const uint32_t two = sums->sum[2 * fours + o % 2];
        sum[o] = dcp_wrap_add(sum[o], o < 2 ? dcp_low(two) : dcp_high(two));
    }
}

#else

#define DCP_SUMS8 ((size_t)8)

static inline void dcp_sum_rows8(dcp_sums *sums, const dcp_flips *flips, const int8_t *weight) {
    dcp_sum_eight(sums, flips, weight, 0);
}

static inline void dcp_move8(const dcp_sums *sums, int32_t *sum, size_t count) {
    /* A bound that is known keeps the sums in registers. */
    for (size_t o = 0; o < 8 && o < count; o++) {
        sum[o] = dcp_wrap_add(sum[o], (int32_t)sums->sum[o]);
    }
}

#endif

static inline void dcp_sum_rows16(dcp_sums *sums, const dcp_flips *flips, const int16_t *weight) {
#if DCP_SIMD
    DCP_SUM_ROWS(DCP_ADD_HALVES, DCP_NEGATE);
#else
    dcp_sum_eight(sums, flips, weight, 1);
#endif
}

static inline void dcp_add_rows8(const dcp_flips *flips, const void *weight, int32_t *sum,
                                 size_t outputs) {
    for (size_t from = 0; from < outputs; from += DCP_SUMS8) {
        dcp_sums sums;
        dcp_sum_rows8(&sums, flips, (const int8_t *)weight + from);
        dcp_move8(&sums, sum + from, ((outputs - from) < DCP_SUMS8) ? (outputs - from) : DCP_SUMS8);
    }
}

static inline void dcp_add_rows16(const dcp_flips *flips, const void *weight, int32_t *sum,
                                  size_t outputs) {
    for (size_t from = 0; from < outputs; from += 8) {
        dcp_sums sums;
        dcp_sum_rows16(&sums, flips, (const int16_t *)weight + from);
        for (size_t o = 0; o < 8 && from + o < outputs; o++) {
            sum[from + o] = dcp_wrap_add(sum[from + o], (int32_t)sums.sum[o]);
        }
    }
}

#endif

#endif
