/* SPDX-License-Identifier: Apache-2.0 */
/* Part of dyncp_fft_scalar.h on cores with the DSP extension: two stages of the transform on four
 * values at a time. Section numbers refer to docs/arithmetic.md.
 *
 * Four values and what a twist needs are twelve registers: pieces of assembly, as gcc keeps some of
 * them in memory. r7, which may be the frame pointer, is saved and restored. */
#ifndef DYNCP_DSP_FFT_H
#define DYNCP_DSP_FFT_H

#include "dyncp_butterfly.h"

#if DCP_SIMD

/* Arithmetic of offsets, which the assembler does. */
#define DCP_TEXT(expression) DCP_TEXT_OF(expression)
#define DCP_TEXT_OF(expression) #expression

/* ---- Twists by k = 0 and k = 128 alone ---- */

/* The stages h and 2 h with j = 0 of the values in r0 to r7, in place; r8 is twiddle[128].im. The
 * first real part may come in r10. */
#define DCP_QUAD0(first_re)                                                                        \
    "asr r2, r2, #1\n\t"                                                                           \
    "asr r3, r3, #1\n\t"                                                                           \
    "asr r6, r6, #1\n\t"                                                                           \
    "asr r7, r7, #1\n\t"                                                                           \
    "add r9, r2, " first_re ", asr #1\n\t"                                                         \
    "rsb r2, r2, " first_re ", asr #1\n\t"                                                         \
    "add r0, r3, r1, asr #1\n\t"                                                                   \
    "rsb r3, r3, r1, asr #1\n\t"                                                                   \
    "add r11, r6, r4, asr #1\n\t"                                                                  \
    "rsb r6, r6, r4, asr #1\n\t"                                                                   \
    "add r10, r7, r5, asr #1\n\t"                                                                  \
    "rsb r7, r7, r5, asr #1\n\t"                                                                   \
    "asr r10, r10, #1\n\t"                                                                         \
    "asr r11, r11, #1\n\t"                                                                         \
    "rsb r5, r10, r0, asr #1\n\t"                                                                  \
    "add r1, r10, r0, asr #1\n\t"                                                                  \
    "rsb r4, r11, r9, asr #1\n\t"                                                                  \
    "add r0, r11, r9, asr #1\n\t"                                                                  \
    "smmulr r9, r6, r8\n\t"                                                                        \
    "smmulr r10, r7, r8\n\t"                                                                       \
    "add r6, r10, r2, asr #1\n\t"                                                                  \
    "rsb r2, r10, r2, asr #1\n\t"                                                                  \
    "rsb r7, r9, r3, asr #1\n\t"                                                                   \
    "add r3, r9, r3, asr #1\n\t"

/* That of all groups of 32 h bytes; `step` goes on to the next one, in the store of a. */
#define DCP_GROUPS0(name, h, step)                                                                 \
    DCP_IN_CODE static inline void name(int32_t *z) {                                              \
        register int32_t *at __asm__("lr") = z;                                                    \
        register const int32_t *end __asm__("ip") = z + 2 * DCP_POINTS;                            \
        register int32_t factor __asm__("r8") = DCP_MINUS_J;                                       \
        __asm__ volatile("str r7, [sp, #-8]!\n"                                                    \
                         "1:\n\t"                                                                  \
                         "ldrd r0, r1, [lr]\n\t"                                                   \
                         "ldrd r2, r3, [lr, #8 * " #h "]\n\t"                                      \
                         "ldrd r4, r5, [lr, #16 * " #h "]\n\t"                                     \
                         "ldrd r6, r7, [lr, #24 * " #h                                             \
                         "]\n\t" DCP_QUAD0("r0") "strd r2, r3, [lr, #8 * " #h "]\n\t"              \
                                                 "strd r4, r5, [lr, #16 * " #h "]\n\t"             \
                                                 "strd r6, r7, [lr, #24 * " #h "]\n\t"             \
                                                 "strd r0, r1, [lr" step "\n\t"                    \
                                                 "cmp lr, ip\n\t"                                  \
                                                 "bne 1b\n\t"                                      \
                                                 "ldr r7, [sp], #8"                                \
                         : "+r"(at)                                                                \
                         : "r"(end), "r"(factor)                                                   \
                         : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r9", "r10", "r11", "cc",     \
                           "memory");                                                              \
    }

/* ---- All other twists ---- */

/* The value q times the factor in r8 and r9: r10 and r11. */
#define DCP_TWIST(re, im)                                                                          \
    "smmulr r10, " re ", r8\n\t"                                                                   \
    "smmulr r11, " im ", r9\n\t"                                                                   \
    "sub r10, r10, r11\n\t"                                                                        \
    "smmulr r11, " re ", r9\n\t"                                                                   \
    "smmlar r11, " im ", r8, r11\n\t"
/* p and q become (p >> 1) + t and (p >> 1) - t. */
#define DCP_BUTTERFLY(p_re, p_im, q_re, q_im)                                                      \
    "rsb " q_re ", r10, " p_re ", asr #1\n\t"                                                      \
    "rsb " q_im ", r11, " p_im ", asr #1\n\t"                                                      \
    "add " p_re ", r10, " p_re ", asr #1\n\t"                                                      \
    "add " p_im ", r11, " p_im ", asr #1\n\t"
/* dcp_quad: where values lie from lr on, what loads the factors of both stages and of the second
 * one's other butterfly; `on` and `back` may move lr between a and b, and c and d. */
#define DCP_QUAD(a, b, c, d, first, second, third, on, back)                                       \
    first "ldrd r2, r3, [lr, #" b                                                                  \
          "]\n\t" DCP_TWIST("r2", "r3") "ldrd r0, r1, [lr, #" a                                    \
                                        "]\n\t" DCP_BUTTERFLY("r0", "r1", "r2", "r3") on           \
        "ldrd r6, r7, [lr, #" d                                                                    \
        "]\n\t" DCP_TWIST("r6", "r7") "ldrd r4, r5, [lr, #" c                                      \
                                      "]\n\t" DCP_BUTTERFLY("r4", "r5", "r6", "r7")                \
                                          second DCP_TWIST("r4", "r5")                             \
                                              DCP_BUTTERFLY("r0", "r1", "r4", "r5") third          \
        "strd r4, r5, [lr, #" c "]\n\t" DCP_TWIST("r6", "r7")                                      \
            DCP_BUTTERFLY("r2", "r3", "r6", "r7") "strd r6, r7, [lr, #" d "]\n\t" back             \
                                                  "strd r0, r1, [lr, #" a "]\n\t"                  \
                                                  "strd r2, r3, [lr, #" b "]\n\t"
#define DCP_FACTOR(address) "ldrd r8, r9, [" address "]\n\t"

/* Quads of some groups, g bytes from lr. The assembler repeats them: C99 compilers need not take a
 * string of over 4095 characters. */
#define DCP_QUADS_OF(h, groups, second, third)                                                     \
    ".irp g, " groups "\n\t" DCP_QUAD("\\g", "\\g + 8 * " #h, "\\g + 16 * " #h, "\\g + 24 * " #h,  \
                                      DCP_FACTOR("sp"), second, third, "", "") ".endr\n\t"
#define DCP_FOUR_GROUPS(h) "-60 * " #h ", -28 * " #h ", 4 * " #h ", 36 * " #h
#define DCP_TWO_GROUPS(h) "-28 * " #h ", 4 * " #h

/* The stages h and 2 h, where there are many groups: of each j some in a pass, with lr in their
 * middle. The three factors wait in the stack; behind them are their addresses, and the end of j.
 * The step from one j to the next, of no meaning where there is one j, fits the instruction. */
#define DCP_MANY_GROUPS(name, h, groups, passed)                                                   \
    DCP_IN_CODE static inline void name(const int32_t *twiddle, int32_t *z) {                      \
        register int32_t *at __asm__("lr") = z + 2 + (passed)*4 * (h) - (h);                       \
        register const int32_t *behind __asm__("ip") = at + 2 * DCP_POINTS;                        \
        register const int32_t *first __asm__("r2") = twiddle + 2 * DCP_POINTS / (h);              \
        register const int32_t *second __asm__("r3") = twiddle + DCP_POINTS / (h);                 \
        register const int32_t *third __asm__("r4") = twiddle + DCP_POINTS / (h) + DCP_POINTS;     \
        register const int32_t *end __asm__("r5") = at + 2 * ((h)-1);                              \
        __asm__ volatile(                                                                          \
            "stmdb sp!, {r2, r3, r4, r5, r6, r7}\n\t"                                              \
            "sub sp, sp, #24\n"                                                                    \
            "1:\n\t"                                                                               \
            "add r6, sp, #24\n\t"                                                                  \
            "ldmia r6, {r8, r9, r10}\n\t"                                                          \
            "ldrd r0, r1, [r8], #" DCP_TEXT(                                                       \
                8 * DCP_POINTS / h &                                                               \
                1023) "\n\t"                                                                       \
                      "ldrd r2, r3, [r9], #" DCP_TEXT(                                             \
                          4 * DCP_POINTS / h &                                                     \
                          1023) "\n\t"                                                             \
                                "ldrd r4, r5, [r10], #" DCP_TEXT(                                  \
                                    4 * DCP_POINTS / h &                                           \
                                    1023) "\n\t"                                                   \
                                          "stmia r6, {r8, r9, r10}\n\t"                            \
                                          "stmia sp, {r0, r1, r2, r3, r4, r5}\n"                   \
                                          "2:\n\t" DCP_QUADS_OF(                                   \
                                              h, groups, DCP_FACTOR("sp, #8"),                     \
                                              DCP_FACTOR(                                          \
                                                  "sp, #16")) "add lr, lr, #32 * " #h              \
                                                              " * " #passed "\n\t"                 \
                                                              "cmp lr, ip\n\t"                     \
                                                              "bne 2b\n\t"                         \
                                                              "sub lr, lr, #" DCP_TEXT(            \
                                                                  8 * DCP_POINTS -                 \
                                                                  8) "\n\t"                        \
                                                                     "add ip, ip, #8\n\t"          \
                                                                     "ldr r0, [sp, #36]\n\t"       \
                                                                     "cmp lr, r0\n\t"              \
                                                                     "bne 1b\n\t"                  \
                                                                     "add sp, sp, #24\n\t"         \
                                                                     "ldmia sp!, {r2, r3, r4, "    \
                                                                     "r5, r6, r7}"                 \
            : "+r"(at), "+r"(behind), "+r"(first), "+r"(second), "+r"(third), "+r"(end)            \
            :                                                                                      \
            : "r0", "r1", "r6", "r8", "r9", "r10", "r11", "cc", "memory");                         \
    }

#if DCP_POINTS < 512
/* Where there are four groups: h = DCP_POINTS / 16. The factor of the first stage waits in the
 * stack; ip is 16 bytes behind that of the second. */
#define DCP_ALL_FOUR_GROUPS(name, h)                                                               \
    DCP_IN_CODE static inline void name(const int32_t *twiddle, int32_t *z) {                      \
        register const int32_t *second __asm__("ip") = twiddle + 16 + 4;                           \
        register int32_t *at __asm__("lr") = z + 2 + 15 * (h);                                     \
        register const int32_t *first __asm__("r2") = twiddle + 32;                                \
        register const int32_t *end __asm__("r3") = at + 2 * ((h)-1);                              \
        __asm__ volatile(                                                                          \
            "stmdb sp!, {r0, r1, r2, r3, r6, r7}\n"                                                \
            "1:\n\t"                                                                               \
            "ldr r0, [sp, #8]\n\t"                                                                 \
            "ldrd r2, r3, [r0], #128\n\t"                                                          \
            "str r0, [sp, #8]\n\t"                                                                 \
            "strd r2, r3, [sp]\n\t" DCP_QUADS_OF(                                                  \
                h, DCP_FOUR_GROUPS(h), DCP_FACTOR("ip, #-16"),                                     \
                DCP_FACTOR("ip, #" DCP_TEXT(4 * DCP_POINTS - 16))) "add ip, ip, #64\n\t"           \
                                                                   "add lr, lr, #8\n\t"            \
                                                                   "ldr r8, [sp, #12]\n\t"         \
                                                                   "cmp lr, r8\n\t"                \
                                                                   "bne 1b\n\t"                    \
                                                                   "ldmia sp!, {r0, r1, r2, r3, "  \
                                                                   "r6, r7}"                       \
            : "+r"(at), "+r"(second), "+r"(first), "+r"(end)                                       \
            :                                                                                      \
            : "r0", "r1", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "cc", "memory");             \
    }
#endif

/* ---- One group: h = DCP_POINTS / 4 ---- */

/* Addresses go with the middle of the values, and of the factors of the second stage, or they would
 * be out of reach; that of the factor of the first stage is in the stack. With 512 points the two
 * halves are so far apart that lr goes from one to the other, and ip with the second factor. */
#if DCP_POINTS == 512
#define DCP_ONE_QUAD(n, first)                                                                     \
    DCP_QUAD("8 * " n " - 512", "8 * " n " + 512", "8 * " n " - 512", "8 * " n " + 512", first,    \
             DCP_FACTOR("ip, #16 * " n " - 32"),                                                   \
             "add r8, ip, #2048\n\t" DCP_FACTOR("r8, #16 * " n " - 32"), "add lr, lr, #2048\n\t",  \
             "sub lr, lr, #2048\n\t")
#define DCP_MIDDLE 64
#define DCP_MIDDLE_FACTOR 4
#else
#define DCP_ONE_QUAD(n, first)                                                                     \
    DCP_QUAD("8 * " n " - " DCP_TEXT(3 * DCP_POINTS), "8 * " n " - " DCP_TEXT(DCP_POINTS),         \
             "8 * " n " + " DCP_TEXT(DCP_POINTS), "8 * " n " + " DCP_TEXT(3 * DCP_POINTS), first,  \
             DCP_FACTOR("ip, #16 * " n " - " DCP_TEXT(2 * DCP_POINTS)),                            \
             DCP_FACTOR("ip, #16 * " n " + " DCP_TEXT(2 * DCP_POINTS)), "", "")
#define DCP_MIDDLE (3 * DCP_POINTS / 8)
#define DCP_MIDDLE_FACTOR (DCP_POINTS / 4)
#endif
/* Three quads are a pass. Of 31 or 127, the first is the last one of a pass. */
#if DCP_ODD_STAGES
#define DCP_SKIPPED 2
#define DCP_SKIP "b 3f\n"
#else
#define DCP_SKIPPED 0
#define DCP_SKIP "\n"
#endif

/* j from 1 on. */
DCP_IN_CODE static inline void dcp_one_group(const int32_t *twiddle, int32_t *z) {
    register const int32_t *second __asm__("ip") =
        twiddle + 4 * (1 - DCP_SKIPPED) + 2 * DCP_MIDDLE_FACTOR;
    register int32_t *at __asm__("lr") = z + 2 * (1 - DCP_SKIPPED + DCP_MIDDLE);
    register const int32_t *first __asm__("r0") = twiddle + 8 + 8 * DCP_SKIPPED / 2;
    register const int32_t *end __asm__("r1") = z + 2 * (DCP_POINTS / 4 + DCP_MIDDLE);
    __asm__ volatile(
        "stmdb sp!, {r0, r1, r6, r7}\n\t" DCP_SKIP
        "1:\n\t" DCP_ONE_QUAD("0", "ldr r10, [sp]\n\t"
                                   "ldrd r8, r9, [r10], #96\n\t"
                                   "str r10, [sp]\n\t")
            DCP_ONE_QUAD("1", "ldr r10, [sp]\n\t" DCP_FACTOR("r10, #-64")) "3:\n\t" DCP_ONE_QUAD(
                "2", "ldr r10, [sp]\n\t" DCP_FACTOR("r10, #-32")) "add ip, ip, #48\n\t"
                                                                  "add lr, lr, #24\n\t"
                                                                  "ldr r8, [sp, #4]\n\t"
                                                                  "cmp lr, r8\n\t"
                                                                  "bne 1b\n\t"
                                                                  "ldmia sp!, {r0, r1, r6, r7}"
        : "+r"(at), "+r"(second), "+r"(first), "+r"(end)
        :
        : "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "cc", "memory");
}

/* ---- Section 4, step 2, from the stage on that dcp_first_stages leaves ---- */

#if DCP_POINTS == 64
DCP_GROUPS0(dcp_groups4_of_0, 4, "], #128")
DCP_ALL_FOUR_GROUPS(dcp_groups4, 4)
#elif DCP_POINTS == 128
DCP_GROUPS0(dcp_groups2_of_0, 2, "], #64")
DCP_MANY_GROUPS(dcp_groups2, 2, DCP_FOUR_GROUPS(2), 4)
DCP_GROUPS0(dcp_groups8_of_0, 8, "], #256")
DCP_ALL_FOUR_GROUPS(dcp_groups8, 8)
#elif DCP_POINTS == 256
DCP_GROUPS0(dcp_groups4_of_0, 4, "], #128")
DCP_MANY_GROUPS(dcp_groups4, 4, DCP_FOUR_GROUPS(4), 4)
DCP_GROUPS0(dcp_groups16_of_0, 16, "], #512")
DCP_ALL_FOUR_GROUPS(dcp_groups16, 16)
#else
DCP_GROUPS0(dcp_groups2_of_0, 2, "], #64")
DCP_MANY_GROUPS(dcp_groups2, 2, DCP_FOUR_GROUPS(2), 4)
DCP_GROUPS0(dcp_groups8_of_0, 8, "], #256")
DCP_MANY_GROUPS(dcp_groups8, 8, DCP_FOUR_GROUPS(8), 4)
DCP_GROUPS0(dcp_groups32_of_0, 32, "]\n\tadd lr, lr, #1024")
DCP_MANY_GROUPS(dcp_groups32, 32, DCP_TWO_GROUPS(32), 2)
#endif

DYNCP_ONCE static void dcp_stages(const int32_t *twiddle, int32_t *z) {
#if DCP_ODD_STAGES
    dcp_groups2_of_0(z);
    dcp_groups2(twiddle, z);
    dcp_groups8_of_0(z);
    dcp_groups8(twiddle, z);
#if DCP_POINTS == 512
    dcp_groups32_of_0(z);
    dcp_groups32(twiddle, z);
#endif
#else
    dcp_groups4_of_0(z);
    dcp_groups4(twiddle, z);
#if DCP_POINTS == 256
    dcp_groups16_of_0(z);
    dcp_groups16(twiddle, z);
#endif
#endif
    dcp_quad_of_0(z, DCP_POINTS / 4);
    dcp_one_group(twiddle, z);
}

#undef DCP_GROUPS0
#undef DCP_BUTTERFLY
#undef DCP_QUAD
#undef DCP_FACTOR
#undef DCP_QUADS_OF
#undef DCP_FOUR_GROUPS
#undef DCP_TWO_GROUPS
#undef DCP_MANY_GROUPS
#undef DCP_ALL_FOUR_GROUPS
#undef DCP_ONE_QUAD
#undef DCP_MIDDLE
#undef DCP_MIDDLE_FACTOR
#undef DCP_SKIPPED
#undef DCP_SKIP

#endif

#endif
