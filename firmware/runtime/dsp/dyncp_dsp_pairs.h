/* SPDX-License-Identifier: Apache-2.0 */
/* Part of dyncp_dsp.h: inner products of two rows, which share the loads of the inputs, with all
 * that comes before and after them. Assembly, for gcc runs out of registers. */
#ifndef DYNCP_DSP_PAIRS_H
#define DYNCP_DSP_PAIRS_H

#include "dyncp_layers.h"
#include "dyncp_simd.h"

/* How inner products of a layer go. */
typedef struct {
    uint32_t start;     /* of each sum */
    uint32_t odd, skip; /* columns beyond the eights: four or none; bytes of code to leave out */
    const uint32_t *x;
    uint32_t passes; /* through 32 columns, the first of them perhaps in part */
} dcp_run;

enum { DCP_PAIRED_CODE = 60, DCP_WIDE_CODE = 76 }; /* bytes of code for eight columns */

static inline dcp_run dcp_run_of(const uint32_t *x, size_t columns, uint32_t start, uint32_t code) {
    const uint32_t words = (uint32_t)dcp_padded(columns) / 4, eights = words / 2;
    const uint32_t passes = eights > 0 ? (eights + 3) / 4 : 1;
    /* An ADD to the program counter counts from two bytes behind the next instruction. */
    const dcp_run run = {start, words % 2, code * (4 * passes - eights) - 2, x, passes};
    return run;
}

/* Four columns of int8 in pairs, and of int16. */
static inline uint32_t dcp_paired4(const uint32_t *x, uint32_t weights, uint32_t sum) {
    return dcp_mac_both(dcp_add_even(x[0], weights), dcp_add_odd(x[1], weights), sum);
}

static inline uint32_t dcp_wide4(const uint32_t *x, uint32_t weights, uint32_t sum) {
    return dcp_mac_both(x[0], dcp_odd(weights), dcp_mac_both(x[1], dcp_even(weights), sum));
}

/* One row. */
DCP_KERNEL uint32_t dcp_paired(const uint32_t *x, const int8_t *w, size_t columns, uint32_t sum) {
    for (const int8_t *end = w + dcp_padded(columns); w != end; w += 4, x += 2) {
        sum = dcp_paired4(x, dcp_load32(w), sum);
    }
    return sum;
}

DCP_KERNEL uint32_t dcp_wide(const uint32_t *x, const int8_t *w, size_t columns, uint32_t sum) {
    for (const int8_t *end = w + dcp_padded(columns); w != end; w += 4, x += 2) {
        sum = dcp_wide4(x, dcp_load32(w), sum);
    }
    return sum;
}

#if DCP_SIMD

/* ---- Sums r0 and r1 of the rows at r2 and r3, which move behind them ---- */

/* Columns in r9 or r10; inputs in r4 and r5. */
#define DCP_PAIRED_4(weights, sum)                                                                 \
    "sxtab16 r11, r4, " weights "\n\t"                                                             \
    "sxtab16 " weights ", r5, " weights ", ror #8\n\t"                                             \
    "smlad " sum ", r11, " weights ", " sum "\n\t"
#define DCP_WIDE_4(weights, sum)                                                                   \
    "sxtb16 r11, " weights "\n\t"                                                                  \
    "sxtb16 " weights ", " weights ", ror #8\n\t"                                                  \
    "smlad " sum ", r5, r11, " sum "\n\t"                                                          \
    "smlad " sum ", r4, " weights ", " sum "\n\t"
/* Eight columns; inputs in r4, r5, r6 and r8. */
#define DCP_PAIRED_8(row, sum)                                                                     \
    "ldrd r9, r10, [" row "], #8\n\t"                                                              \
    "sxtab16 r11, r4, r9\n\t"                                                                      \
    "sxtab16 r9, r5, r9, ror #8\n\t"                                                               \
    "smlad " sum ", r11, r9, " sum "\n\t"                                                          \
    "sxtab16 r11, r6, r10\n\t"                                                                     \
    "sxtab16 r10, r8, r10, ror #8\n\t"                                                             \
    "smlad " sum ", r11, r10, " sum "\n\t"
#define DCP_WIDE_8(row, sum)                                                                       \
    "ldrd r9, r10, [" row "], #8\n\t"                                                              \
    "sxtb16 r11, r9\n\t"                                                                           \
    "sxtb16 r9, r9, ror #8\n\t"                                                                    \
    "smlad " sum ", r5, r11, " sum "\n\t"                                                          \
    "smlad " sum ", r4, r9, " sum "\n\t"                                                           \
    "sxtb16 r11, r10\n\t"                                                                          \
    "sxtb16 r10, r10, ror #8\n\t"                                                                  \
    "smlad " sum ", r8, r11, " sum "\n\t"                                                          \
    "smlad " sum ", r6, r10, " sum "\n\t"
#define DCP_BOTH_8(eight) "ldmia ip!, {r4, r5, r6, r8}\n\t" eight("r2", "r0") eight("r3", "r1")
/* On the stack: the start of both sums, then what a dcp_run has. The loop is entered where as many
 * eights are left as are to be done: each of its instructions takes four bytes. r7 is left out of
 * all this, for it may be the frame pointer. */
#define DCP_START                                                                                  \
    "ldmia sp, {r0, r1, r4, r6, ip, lr}\n\t"                                                       \
    "cbz r4, 1f\n\t"                                                                               \
    "ldrd r4, r5, [ip], #8\n\t"                                                                    \
    "ldr r9, [r2], #4\n\t"                                                                         \
    "ldr r10, [r3], #4\n\t"
#define DCP_ENTER                                                                                  \
    "1: add pc, r6\n\t"                                                                            \
    "2:\n\t"
#define DCP_32(eight) DCP_BOTH_8(eight) DCP_BOTH_8(eight) DCP_BOTH_8(eight) DCP_BOTH_8(eight)
#define DCP_AGAIN                                                                                  \
    "subs lr, lr, #1\n\t"                                                                          \
    "bne 2b\n\t"
#define DCP_FOUR(four) four("r9", "r0") four("r10", "r1")
#define DCP_SUMS(four, eight)                                                                      \
    DCP_START DCP_FOUR(four)                                                                       \
    DCP_ENTER DCP_32(eight) DCP_AGAIN
/* Biases in r8 and r9, multipliers in r10 and r11. */
#define DCP_BIASED                                                                                 \
    "add r0, r0, r8\n\t"                                                                           \
    "add r1, r1, r9\n\t"                                                                           \
    "lsl r10, r10, #1\n\t"                                                                         \
    "lsl r11, r11, #1\n\t"
#define DCP_SCALED                                                                                 \
    "smmulr r0, r0, r10\n\t"                                                                       \
    "smmulr r1, r1, r11\n\t"
#define DCP_CLAMPED(clamp, bits) clamp " r0, " bits ", r0\n\t" clamp " r1, " bits ", r1\n\t"

/* ---- All rows ---- */

/* Registers get their values after the last call of a function.
 * Behind the run on the stack: bias and multiplier of the next pair, y, its end. */
#define DCP_ALL_BEGIN                                                                              \
    "stmdb sp!, {r0, r1, r4, r5, r6, r8, r9, r10, r11, ip}\n"                                      \
    "0:\n\t"
#define DCP_ALL_TABLES                                                                             \
    "ldrd r4, r5, [sp, #24]\n\t"                                                                   \
    "ldrd r8, r9, [r4], #8\n\t"                                                                    \
    "ldrd r10, r11, [r5], #8\n\t"                                                                  \
    "strd r4, r5, [sp, #24]\n\t"
#define DCP_ALL_STORE(store) "ldrd r4, r5, [sp, #32]\n\t" store "str r4, [sp, #32]\n\t"
#define DCP_ALL_NEXT                                                                               \
    "sub r6, r3, r2\n\t"                                                                           \
    "mov r2, r3\n\t"                                                                               \
    "add r3, r3, r6\n\t"                                                                           \
    "cmp r4, r5\n\t"                                                                               \
    "bne 0b\n\t"                                                                                   \
    "add sp, sp, #40"
#define DCP_BYTES                                                                                  \
    "strb r0, [r4], #1\n\t"                                                                        \
    "strb r1, [r4], #1\n\t"
#define DCP_HALVES                                                                                 \
    "strh r0, [r4], #2\n\t"                                                                        \
    "strh r1, [r4], #2\n\t"
#define DCP_ALL_END(clamp, bits, store) DCP_CLAMPED(clamp, bits) DCP_ALL_STORE(store) DCP_ALL_NEXT
#define DCP_ALL(sums, end) DCP_ALL_BEGIN sums DCP_ALL_TABLES DCP_BIASED DCP_SCALED end
#define DCP_ALL_ROWS(name, sums, end_of_pair)                                                      \
    static inline void name(const dcp_layer *layer, dcp_run run, void *first, void *behind) {      \
        const size_t stride = dcp_padded(layer->columns);                                          \
        register uint32_t s __asm__("r0") = run.start, t __asm__("r1") = run.start;                \
        register const int8_t *a __asm__("r2") = layer->weight, *b __asm__("r3") = a + stride;     \
        register uint32_t odd __asm__("r4") = run.odd, skip __asm__("r5") = run.skip;              \
        register const uint32_t *x __asm__("r6") = run.x;                                          \
        register uint32_t passes __asm__("r8") = run.passes;                                       \
        register const int32_t *bias __asm__("r9") = layer->bias;                                  \
        register const int32_t *multiplier __asm__("r10") = layer->multiplier;                     \
        register void *y __asm__("r11") = first, *end __asm__("ip") = behind;                      \
        __asm__ volatile(DCP_ALL(sums, end_of_pair)                                                \
                         : "+r"(s), "+r"(t), "+r"(a), "+r"(b), "+r"(odd), "+r"(skip), "+r"(x),     \
                           "+r"(passes), "+r"(bias), "+r"(multiplier), "+r"(y), "+r"(end)          \
                         :                                                                         \
                         : "lr", "cc", "memory");                                                  \
    }
#define DCP_PAIRED_SUMS DCP_SUMS(DCP_PAIRED_4, DCP_PAIRED_8)
#define DCP_WIDE_SUMS DCP_SUMS(DCP_WIDE_4, DCP_WIDE_8)
DCP_ALL_ROWS(dcp_all_relu8, DCP_PAIRED_SUMS, DCP_ALL_END("usat", "#7", DCP_BYTES))
DCP_ALL_ROWS(dcp_all_sat16, DCP_PAIRED_SUMS, DCP_ALL_END("ssat", "#16", DCP_HALVES))
DCP_ALL_ROWS(dcp_all_wide, DCP_WIDE_SUMS, DCP_ALL_END("usat", "#15", DCP_HALVES))

#undef DCP_ALL_ROWS

/* ---- Active rows ---- */

/* Behind the run on the stack, by offset: 24 bias, 28 multiplier, 32 y; 36 and 40 the pair's rows,
 * 44 bits of a word of the mask, those to come, its first row's the highest, 48 that row; 52
 * weight, 56 stride, 60 the highest bit; 64 next word of the mask, 68 their end. */
#define DCP_ACTIVE_BEGIN                                                                           \
    "stmdb sp!, {ip, lr}\n\t"                                                                      \
    "mov ip, #0x80000000\n\t"                                                                      \
    "stmdb sp!, {r10, r11, ip}\n\t"                                                                \
    "mov r10, #0\n\t"                                                                              \
    "mvn r11, #31\n\t"                                                                             \
    "stmdb sp!, {r8, r9, r10, r11}\n\t"                                                            \
    "stmdb sp!, {r0, r1, r2, r3, r4, r5, r6, r8, r9}\n\t"                                          \
    "b 5f\n"
/* Row and weights by the highest of the bits, twice. */
#define DCP_ACTIVE_FIND                                                                            \
    "3: clz r9, r4\n\t"                                                                            \
    "lsr r11, r10, r9\n\t"                                                                         \
    "add r0, r5, r9\n\t"                                                                           \
    "mla r2, r0, r8, r6\n\t"                                                                       \
    "bics r4, r4, r11\n\t"                                                                         \
    "beq 6f\n"                                                                                     \
    "4: clz r9, r4\n\t"                                                                            \
    "lsr r11, r10, r9\n\t"                                                                         \
    "add r1, r5, r9\n\t"                                                                           \
    "mla r3, r1, r8, r6\n\t"                                                                       \
    "bic r4, r4, r11\n\t"                                                                          \
    "stmia ip, {r0, r1, r4}\n\t"
#define DCP_ACTIVE_TABLES                                                                          \
    "add ip, sp, #24\n\t"                                                                          \
    "ldmia ip, {r2, r3, r4, r5, r6}\n\t"                                                           \
    "ldr r8, [r2, r5, lsl #2]\n\t"                                                                 \
    "ldr r9, [r2, r6, lsl #2]\n\t"                                                                 \
    "ldr r10, [r3, r5, lsl #2]\n\t"                                                                \
    "ldr r11, [r3, r6, lsl #2]\n\t"
#define DCP_ACTIVE_NEXT                                                                            \
    "5: add ip, sp, #36\n\t"                                                                       \
    "ldmia ip, {r0, r1, r4, r5, r6, r8, r10}\n\t"                                                  \
    "cmp r4, #0\n\t"                                                                               \
    "bne 3b\n\t"
/* The next word that has bits, or on to 9 if there is none. */
#define DCP_ACTIVE_WORD                                                                            \
    "ldrd r9, r11, [sp, #64]\n"                                                                    \
    "8: cmp r9, r11\n\t"                                                                           \
    "beq 9f\n\t"                                                                                   \
    "ldr r4, [r9], #4\n\t"                                                                         \
    "add r5, r5, #32\n\t"                                                                          \
    "rbit r4, r4\n\t"                                                                              \
    "cmp r4, #0\n\t"                                                                               \
    "beq 8b\n\t"                                                                                   \
    "str r5, [sp, #48]\n\t"                                                                        \
    "str r9, [sp, #64]\n\t"
#define DCP_ACTIVE_END DCP_ACTIVE_NEXT DCP_ACTIVE_WORD "b 3b\n6: " DCP_ACTIVE_WORD "b 4b\n9:"
#define DCP_ACTIVE(put) DCP_ACTIVE_FIND DCP_PAIRED_SUMS DCP_ACTIVE_TABLES DCP_BIASED put
#define DCP_ACTIVE_RELU8                                                                           \
    "smmulr r0, r0, r10\n\t"                                                                       \
    "smmulr r1, r1, r11\n\t"                                                                       \
    "usat r0, #7, r0\n\t"                                                                          \
    "usat r1, #7, r1\n\t"                                                                          \
    "strb r0, [r4, r5]\n\t"                                                                        \
    "strb r1, [r4, r6]\n"
#define DCP_ACTIVE_RESIDUAL                                                                        \
    "ldrsh r8, [r4, r5, lsl #1]\n\t"                                                               \
    "ldrsh r9, [r4, r6, lsl #1]\n\t"                                                               \
    "smmlar r0, r0, r10, r8\n\t"                                                                   \
    "smmlar r1, r1, r11, r9\n\t"                                                                   \
    "ssat r0, #16, r0\n\t"                                                                         \
    "ssat r1, #16, r1\n\t"                                                                         \
    "strh r0, [r4, r5, lsl #1]\n\t"                                                                \
    "strh r1, [r4, r6, lsl #1]\n"
/* Two rows at a time; returns the one that is left where their number is odd. */
#define DCP_ACTIVE_ROWS(name, put)                                                                 \
    static inline size_t name(const dcp_layer *layer, dcp_run run, const uint32_t *mask,           \
                              void *first) {                                                       \
        const size_t padded = dcp_padded(layer->columns);                                          \
        const uint32_t *const behind = mask + (layer->rows + 31) / 32;                             \
        register uint32_t s __asm__("r0") = run.start, t __asm__("r1") = run.start;                \
        register uint32_t odd __asm__("r2") = run.odd, skip __asm__("r3") = run.skip;              \
        register const uint32_t *x __asm__("r4") = run.x;                                          \
        register uint32_t passes __asm__("r5") = run.passes;                                       \
        register const int32_t *bias __asm__("r6") = layer->bias;                                  \
        register const int32_t *multiplier __asm__("r8") = layer->multiplier;                      \
        register void *y __asm__("r9") = first;                                                    \
        register const int8_t *weight __asm__("r10") = layer->weight;                              \
        register size_t stride __asm__("r11") = padded;                                            \
        register const uint32_t *next __asm__("ip") = mask;                                        \
        register const uint32_t *end __asm__("lr") = behind;                                       \
        __asm__ volatile(DCP_ACTIVE_BEGIN DCP_ACTIVE(put) DCP_ACTIVE_END "add sp, sp, #72"         \
                         : "+r"(s), "+r"(t), "+r"(odd), "+r"(skip), "+r"(x), "+r"(passes),         \
                           "+r"(bias), "+r"(multiplier), "+r"(y), "+r"(weight), "+r"(stride),      \
                           "+r"(next), "+r"(end)                                                   \
                         :                                                                         \
                         : "cc", "memory");                                                        \
        return s;                                                                                  \
    }
DCP_ACTIVE_ROWS(dcp_active_relu8, DCP_ACTIVE_RELU8)
DCP_ACTIVE_ROWS(dcp_active_residual, DCP_ACTIVE_RESIDUAL)
#undef DCP_ACTIVE_ROWS
#endif

#endif
