/* SPDX-License-Identifier: Apache-2.0 */
/* Part of dyncp_fft_scalar.h on cores with the DSP extension: what comes before and after the
 * stages of a transform, in assembly for want of registers, as in dyncp_dsp_fft.h. Section numbers
 * refer to docs/arithmetic.md. */
#ifndef DYNCP_DSP_FRAMES_H
#define DYNCP_DSP_FRAMES_H

#include "dyncp_dsp_fft.h"

#if DCP_SIMD

/* To the place that the value n has in the order of section 4, step 1: 32 bytes times the reversed
 * group, which is the next entry of dcp_reversed times DCP_GROUPS / 64. The flags tell whether it
 * was the last one. */
#if DCP_POINTS == 64
#define DCP_PLACE "lsl #3"
#define DCP_LAST_GROUP "60"
#elif DCP_POINTS == 128
#define DCP_PLACE "lsl #4"
#define DCP_LAST_GROUP "62"
#elif DCP_POINTS == 256
#define DCP_PLACE "lsl #5"
#define DCP_LAST_GROUP "63"
#else
#define DCP_PLACE "lsl #6"
#define DCP_LAST_GROUP "63"
#endif
#define DCP_STORE_QUAD(z, reversed)                                                                \
    "ldrb r10, [" reversed "], #1\n\t"                                                             \
    "add r9, " z ", r10, " DCP_PLACE "\n\t"                                                        \
    "stmia r9, {r0, r1, r2, r3, r4, r5, r6, r7}\n\t"                                               \
    "cmp r10, #" DCP_LAST_GROUP "\n\t"

#if DCP_ODD_STAGES
/* The stage h = 1 of a value in r0 and r1, or r4 and r5, and one in r10 and r11. */
#define DCP_PAIR0(p_re, p_im, q_re, q_im)                                                          \
    "asr r10, r10, #1\n\t"                                                                         \
    "asr r11, r11, #1\n\t"                                                                         \
    "rsb " q_re ", r10, " p_re ", asr #1\n\t"                                                      \
    "add " p_re ", r10, " p_re ", asr #1\n\t"                                                      \
    "rsb " q_im ", r11, " p_im ", asr #1\n\t"                                                      \
    "add " p_im ", r11, " p_im ", asr #1\n\t"

/* The inputs n, n + 2 DCP_GROUPS, n + DCP_GROUPS and n + 3 DCP_GROUPS, 64 n at most. */
static inline void dcp_first_pairs(const int32_t *in, int32_t *z) {
    register const int32_t *early __asm__("ip") = in + DCP_GROUPS;
    register const int32_t *late __asm__("r8") = in + 5 * DCP_GROUPS;
    register const uint8_t *reversed __asm__("lr") = dcp_reversed;
    register int32_t *to __asm__("r0") = z;
    __asm__ volatile(
        "stmdb sp!, {r0, r7}\n"
        "1:\n\t"
        "ldrd r0, r1, [ip, %[before]]\n\t"
        "ldrd r4, r5, [ip, %[behind]]\n\t"
        "ldrd r10, r11, [r8, %[before]]\n\t"
        "add ip, ip, #8\n\t"
        "ldr r9, [sp]\n\t" DCP_PAIR0("r0", "r1", "r2",
                                     "r3") "ldrd r10, r11, [r8, %[behind]]\n\t"
                                           "add r8, r8, #8\n\t" DCP_PAIR0("r4", "r5", "r6", "r7")
                                               DCP_STORE_QUAD("r9", "lr") "bne 1b\n\t"
                                                                          "ldmia sp!, {r0, r7}"
        : "+r"(early), "+r"(late), "+r"(reversed), "+r"(to)
        : [before] "i"(-DCP_POINTS), [behind] "i"(DCP_POINTS)
        : "r1", "r2", "r3", "r4", "r5", "r6", "r9", "r10", "r11", "cc", "memory");
}
#undef DCP_PAIR0

/* Section 4, from in[points] to where dcp_stages begins. */
static inline void dcp_first_stages(const int32_t *in, int32_t *z) {
    dcp_first_pairs(in, z);
#if DCP_POINTS == 512
    dcp_first_pairs(in + 2 * 64, z + 8);
#endif
}
#else
/* Section 4, from in[points] to the stages h = 1 and 2: inputs n, n + 2 DCP_GROUPS, n + DCP_GROUPS
 * and n + 3 DCP_GROUPS. */
static inline void dcp_first_stages(const int32_t *in, int32_t *z) {
    register const int32_t *middle __asm__("ip") = in + 3 * DCP_GROUPS;
    register const uint8_t *reversed __asm__("lr") = dcp_reversed;
    register int32_t *to __asm__("r0") = z;
    register int32_t factor __asm__("r8") = DCP_MINUS_J;
    __asm__ volatile("stmdb sp!, {r0, r7}\n"
                     "1:\n\t"
                     "ldrd r0, r1, [ip, %[a]]\n\t"
                     "ldrd r2, r3, [ip, %[b]]\n\t"
                     "ldrd r4, r5, [ip, %[c]]\n\t"
                     "ldrd r6, r7, [ip, %[d]]\n\t" DCP_QUAD0(
                         "r0") "ldr r9, [sp]\n\t"
                               "add ip, ip, #8\n\t" DCP_STORE_QUAD("r9", "lr") "bne 1b\n\t"
                                                                               "ldmia sp!, {r0, r7}"
                     : "+r"(middle), "+r"(reversed), "+r"(to)
                     : "r"(factor), [a] "i"(-3 * DCP_POINTS), [b] "i"(DCP_POINTS),
                       [c] "i"(-DCP_POINTS), [d] "i"(3 * DCP_POINTS)
                     : "r1", "r2", "r3", "r4", "r5", "r6", "r9", "r10", "r11", "cc", "memory");
}
#endif

/* Section 3, step 3, k from 1 on; two in a pass, until both ends meet in the middle. */
#define DCP_SPLIT                                                                                  \
    "ldrd r0, r1, [ip]\n\t"                                                                        \
    "ldrd r2, r3, [lr]\n\t"                                                                        \
    "rsb r3, r3, #0\n\t"                                                                           \
    "asr r2, r2, #1\n\t"                                                                           \
    "asr r3, r3, #1\n\t"                                                                           \
    "ldrd r4, r5, [r11], #8\n\t"                                                                   \
    "sub r8, r2, r0, asr #1\n\t"                                                                   \
    "add r0, r2, r0, asr #1\n\t"                                                                   \
    "rsb r6, r3, r1, asr #1\n\t"                                                                   \
    "add r1, r3, r1, asr #1\n\t"                                                                   \
    "smmulr r2, r6, r4\n\t"                                                                        \
    "smmulr r3, r8, r5\n\t"                                                                        \
    "sub r2, r2, r3\n\t"                                                                           \
    "smmulr r3, r6, r5\n\t"                                                                        \
    "smmlar r3, r8, r4, r3\n\t"                                                                    \
    "rsb r4, r2, r0, asr #1\n\t"                                                                   \
    "sub r5, r3, r1, asr #1\n\t"                                                                   \
    "add r2, r2, r0, asr #1\n\t"                                                                   \
    "add r3, r3, r1, asr #1\n\t"                                                                   \
    "strd r4, r5, [lr], #-8\n\t"                                                                   \
    "strd r2, r3, [ip], #8\n\t"
static inline void dcp_split_from1(const int32_t *twiddle, int32_t *x) {
    register int32_t *up __asm__("ip") = x + 2;
    register int32_t *down __asm__("lr") = x + 2 * (DCP_POINTS - 1);
    register const int32_t *factor __asm__("r11") = twiddle + 2;
    __asm__ volatile("1:\n\t" DCP_SPLIT DCP_SPLIT "cmp ip, lr\n\t"
                     "bls 1b"
                     : "+r"(up), "+r"(down), "+r"(factor)
                     :
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "cc", "memory");
}
#undef DCP_SPLIT

/* Section 8, steps 1 to 3, k from 1 on: what loads the mask at both ends to r4 and r5. */
#define DCP_MERGE(load_mask)                                                                       \
    "str r7, [sp, #-8]!\n"                                                                         \
    "1:\n\t" load_mask "ldrd r0, r1, [ip]\n\t"                                                     \
    "ldrd r2, r3, [lr]\n\t"                                                                        \
    "lsl r4, r4, #16\n\t"                                                                          \
    "lsl r5, r5, #16\n\t"                                                                          \
    "smmulr r0, r0, r4\n\t"                                                                        \
    "smmulr r1, r1, r4\n\t"                                                                        \
    "smmulr r2, r2, r5\n\t"                                                                        \
    "smmulr r3, r3, r5\n\t"                                                                        \
    "sub r4, r0, r2\n\t"                                                                           \
    "add r5, r0, r2\n\t"                                                                           \
    "sub r6, r1, r3\n\t"                                                                           \
    "sub r7, r6, r1, lsl #1\n\t"                                                                   \
    "ldrd r0, r1, [r8], #8\n\t"                                                                    \
    "smmulr r2, r4, r0\n\t"                                                                        \
    "smmulr r3, r7, r1\n\t"                                                                        \
    "sub r2, r2, r3\n\t"                                                                           \
    "smmulr r3, r4, r1\n\t"                                                                        \
    "smmlar r3, r7, r0, r3\n\t"                                                                    \
    "sub r0, r2, r6, asr #1\n\t"                                                                   \
    "rsb r1, r3, r5, asr #1\n\t"                                                                   \
    "add r2, r2, r6, asr #1\n\t"                                                                   \
    "add r3, r3, r5, asr #1\n\t"                                                                   \
    "strd r0, r1, [lr], #-8\n\t"                                                                   \
    "strd r2, r3, [ip], #8\n\t"                                                                    \
    "cmp ip, lr\n\t"                                                                               \
    "bls 1b\n\t"                                                                                   \
    "ldr r7, [sp], #8"
static inline void dcp_merge_from1(const int32_t *twiddle, const uint8_t *bands,
                                   const uint16_t *mask, int32_t *x) {
    register int32_t *up __asm__("ip") = x + 2;
    register int32_t *down __asm__("lr") = x + 2 * (DCP_POINTS - 1);
    register const int32_t *factor __asm__("r8") = twiddle + 2;
    if (bands == NULL) {
        register const uint16_t *rising __asm__("r10") = mask + 1;
        register const uint16_t *falling __asm__("r11") = mask + DCP_POINTS - 1;
        __asm__ volatile(DCP_MERGE("ldrh r4, [r10], #2\n\t"
                                   "ldrh r5, [r11], #-2\n\t")
                         : "+r"(up), "+r"(down), "+r"(factor), "+r"(rising), "+r"(falling)
                         :
                         : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "cc", "memory");
    } else {
        register const uint8_t *rising __asm__("r9") = bands + 1;
        register const uint8_t *falling __asm__("r10") = bands + DCP_POINTS - 1;
        register const uint16_t *values __asm__("r11") = mask;
        __asm__ volatile(DCP_MERGE("ldrb r4, [r9], #1\n\t"
                                   "ldrb r5, [r10], #-1\n\t"
                                   "ldrh r4, [r11, r4, lsl #1]\n\t"
                                   "ldrh r5, [r11, r5, lsl #1]\n\t")
                         : "+r"(up), "+r"(down), "+r"(factor), "+r"(rising), "+r"(falling)
                         : "r"(values)
                         : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "cc", "memory");
    }
}
#undef DCP_MERGE

#if DCP_UNALIGNED && DCP_POINTS == 256

/* ---- The standard frames ---- */

/* Section 3, steps 1 and 2 up to the stages h = 1 and 2; history[256] becomes in[256]. Two samples
 * and two values of the window in a word. */
static inline void dcp_window(const int16_t *window, const int16_t *in, int16_t *history,
                              int32_t *z) {
    const struct {
        int16_t *history;
        const int16_t *window, *in;
    } cursors = {history, window, in};
    register const uint8_t *reversed __asm__("ip") = dcp_reversed;
    register int32_t *to __asm__("lr") = z;
    register const void *listed __asm__("r0") = &cursors;
    register int32_t factor __asm__("r8") = DCP_MINUS_J;
    __asm__ volatile("ldmia r0, {r0, r1, r2}\n\t"
                     "stmdb sp!, {r0, r1, r2, r7}\n"
                     "1:\n\t"
                     "ldmia sp, {r9, r10, r11}\n\t"
                     "ldr r6, [r9, #256]\n\t"
                     "ldr r7, [r10, #256]\n\t"
                     "ldr r3, [r11, #256]\n\t"
                     "smulbb r4, r6, r7\n\t"
                     "smultt r5, r6, r7\n\t"
                     "ldr r7, [r10, #768]\n\t"
                     "str r3, [r9, #256]\n\t"
                     "smulbb r6, r3, r7\n\t"
                     "smultt r7, r3, r7\n\t"
                     "ldr r0, [r9]\n\t"
                     "ldr r1, [r11], #4\n\t"
                     "ldr r3, [r10, #512]\n\t"
                     "str r1, [r9], #4\n\t"
                     "smulbb r2, r1, r3\n\t"
                     "smultt r3, r1, r3\n\t"
                     "ldr r1, [r10], #4\n\t"
                     "stmia sp, {r9, r10, r11}\n\t"
                     "smulbb r10, r0, r1\n\t"
                     "smultt r1, r0, r1\n\t" DCP_QUAD0("r10")
                         DCP_STORE_QUAD("lr", "ip") "bne 1b\n\t"
                                                    "ldmia sp!, {r0, r1, r2, r7}"
                     : "+r"(reversed), "+r"(listed)
                     : "r"(to), "r"(factor)
                     : "r1", "r2", "r3", "r4", "r5", "r6", "r9", "r10", "r11", "cc", "memory");
}

/* Section 8, step 4: two samples, whose window is in the upper half of a word once in the lower and
 * once in the upper half of one. im comes first: re and im are exchanged again. */
#define DCP_OVERLAP_ADD                                                                            \
    "ldr r6, [r11, #512]\n\t"                                                                      \
    "ldr r8, [r11], #4\n\t"                                                                        \
    "ldrd r0, r1, [ip], #8\n\t"                                                                    \
    "ldrd r2, r3, [ip, #1016]\n\t"                                                                 \
    "ldrd r4, r5, [lr]\n\t"                                                                        \
    "lsl r9, r8, #16\n\t"                                                                          \
    "bfc r8, #0, #16\n\t"                                                                          \
    "smmlar r4, r1, r9, r4\n\t"                                                                    \
    "smmlar r5, r0, r8, r5\n\t"                                                                    \
    "lsl r9, r6, #16\n\t"                                                                          \
    "bfc r6, #0, #16\n\t"                                                                          \
    "smmulr r8, r3, r9\n\t"                                                                        \
    "smmulr r9, r2, r6\n\t"                                                                        \
    "strd r8, r9, [lr], #8\n\t"                                                                    \
    "smmulr r4, r4, r7\n\t"                                                                        \
    "smmulr r5, r5, r7\n\t"                                                                        \
    "ssat r4, #16, r4\n\t"                                                                         \
    "ssat r5, #16, r5\n\t"                                                                         \
    "pkhbt r4, r4, r5, lsl #16\n\t"                                                                \
    "str r4, [r10], #4\n\t"
static inline void dcp_overlap_add(const int16_t *window, const int32_t *z, int32_t *overlap,
                                   int16_t *out) {
    register const int32_t *at __asm__("ip") = z;
    register int32_t *kept __asm__("lr") = overlap;
    register int16_t *to __asm__("r10") = out;
    register const int16_t *factor __asm__("r11") = window;
    register const int16_t *end __asm__("r0") = out + DCP_HOP;
    __asm__ volatile("stmdb sp!, {r0, r7}\n\t"
                     "mov r7, #0x10000000\n"
                     "1:\n\t" DCP_OVERLAP_ADD DCP_OVERLAP_ADD "ldr r0, [sp]\n\t"
                     "cmp r10, r0\n\t"
                     "bne 1b\n\t"
                     "ldmia sp!, {r0, r7}"
                     : "+r"(at), "+r"(kept), "+r"(to), "+r"(factor), "+r"(end)
                     :
                     : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "cc", "memory");
}
#undef DCP_OVERLAP_ADD

#endif

#endif

#endif
