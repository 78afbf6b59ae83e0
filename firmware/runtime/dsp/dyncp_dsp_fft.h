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

/* That of all groups, from the values at z on: a to d is where they lie; `step` goes on to the next
 * group, in the store of a. */
#define DCP_GROUPS0(name, a, b, c, d, step)                                                        \
    DCP_IN_CODE static inline void name(int32_t *z, const int32_t *behind) {                       \
        register int32_t *at __asm__("lr") = z;                                                    \
        register const int32_t *end __asm__("ip") = behind;                                        \
        register int32_t factor __asm__("r8") = DCP_MINUS_J;                                       \
        __asm__ volatile(                                                                          \
            "str r7, [sp, #-8]!\n"                                                                 \
            "1:\n\t"                                                                               \
            "ldrd r0, r1, [lr, #" a "]\n\t"                                                        \
            "ldrd r2, r3, [lr, #" b "]\n\t"                                                        \
            "ldrd r4, r5, [lr, #" c "]\n\t"                                                        \
            "ldrd r6, r7, [lr, #" d "]\n\t" DCP_QUAD0("r0") "strd r2, r3, [lr, #" b "]\n\t"        \
                                                            "strd r4, r5, [lr, #" c "]\n\t"        \
                                                            "strd r6, r7, [lr, #" d "]\n\t"        \
                                                            "strd r0, r1, [lr" step "\n\t"         \
                                                            "cmp lr, ip\n\t"                       \
                                                            "bne 1b\n\t"                           \
                                                            "ldr r7, [sp], #8"                     \
            : "+r"(at)                                                                             \
            : "r"(end), "r"(factor)                                                                \
            : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r9", "r10", "r11", "cc", "memory");       \
    }
DCP_GROUPS0(dcp_groups4_of_0, "0", "32", "64", "96", "], #128")
DCP_GROUPS0(dcp_groups16_of_0, "0", "128", "256", "384", "], #512")
DCP_GROUPS0(dcp_group64_of_0, "-768", "-256", "256", "768", ", #-768]!")
#undef DCP_GROUPS0

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
 * one's other butterfly, and what stores b last, which may step. */
#define DCP_QUAD(a, b, c, d, first, second, third, store_b)                                        \
    first "ldrd r2, r3, [lr, #" b                                                                  \
          "]\n\t" DCP_TWIST("r2", "r3") "ldrd r0, r1, [lr, #" a "]\n\t" DCP_BUTTERFLY(             \
              "r0", "r1", "r2",                                                                    \
              "r3") "ldrd r6, r7, [lr, #" d                                                        \
                    "]\n\t" DCP_TWIST("r6", "r7") "ldrd r4, r5, [lr, #" c "]\n\t" DCP_BUTTERFLY(   \
                        "r4", "r5", "r6", "r7") second DCP_TWIST("r4", "r5")                       \
                        DCP_BUTTERFLY("r0", "r1", "r4",                                            \
                                      "r5") "strd r4, r5, [lr, #" c "]\n\tstrd r0, r1, [lr, #" a   \
                                            "]\n\t" third DCP_TWIST("r6", "r7") DCP_BUTTERFLY(     \
                                                "r2", "r3", "r6", "r7") "strd r6, r7, [lr, #" d    \
                                                                        "]\n\t" store_b
#define DCP_FACTOR(address) "ldrd r8, r9, [" address "]\n\t"

/* h = 4: the sixteen groups of 128 bytes for one j, two in a pass. ip is 16 bytes behind the factor
 * of the second stage, lr at the value b of the second group. */
#define DCP_ALL_OF_4(first)                                                                        \
    "1:\n\t" DCP_QUAD("-160", "-128", "-96", "-64", DCP_FACTOR("ip, #" first),                     \
                      DCP_FACTOR("ip, #-16"), DCP_FACTOR("ip, #1008"),                             \
                      "strd r2, r3, [lr, #-128]\n\t")                                              \
        DCP_QUAD("-32", "0", "32", "64", DCP_FACTOR("ip, #" first), DCP_FACTOR("ip, #-16"),        \
                 DCP_FACTOR("ip, #1008"), "strd r2, r3, [lr], #256\n\t") "ldr r8, [sp]\n\t"        \
                                                                         "cmp lr, r8\n\t"          \
                                                                         "bne 1b\n\t"

/* The stages 4 and 8. */
DCP_IN_CODE static inline void dcp_stages4(const int32_t *twiddle, int32_t *z) {
    dcp_groups4_of_0(z, z + 2 * 256);
    for (size_t j = 1; j < 4; j++) {
        register const int32_t *second __asm__("ip") = twiddle + 64 * j + 4;
        register int32_t *at __asm__("lr") = z + 2 * (j + 4 + 16);
        register const int32_t *end __asm__("r0") = z + 2 * (j + 4 + 16 + 256);
#define DCP_ONE_J(first)                                                                           \
    __asm__ volatile("stmdb sp!, {r0, r7}\n" DCP_ALL_OF_4(first) "ldmia sp!, {r0, r7}"             \
                     : "+r"(at), "+r"(end)                                                         \
                     : "r"(second)                                                                 \
                     : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "cc",         \
                       "memory")
        if (j == 1) {
            DCP_ONE_J("240");
        } else if (j == 2) {
            DCP_ONE_J("496");
        } else {
            DCP_ONE_J("752");
        }
#undef DCP_ONE_J
    }
}

/* h = 16: the four groups of 512 bytes. The assembler repeats the quad: C99 compilers need not take
 * a string of over 4095 characters. */
#define DCP_ALL_OF_16                                                                              \
    ".irp g, -960, -448, 64, 576\n\t" DCP_QUAD(                                                    \
        "\\g", "\\g + 128", "\\g + 256", "\\g + 384", DCP_FACTOR("sp"), DCP_FACTOR("ip, #-16"),    \
        DCP_FACTOR("ip, #1008"), "strd r2, r3, [lr, #\\g + 128]\n\t") ".endr\n\t"

/* The stages 16 and 32. The factor of the first stage waits in the stack. */
DCP_IN_CODE static inline void dcp_stages16(const int32_t *twiddle, int32_t *z) {
    dcp_groups16_of_0(z, z + 2 * 256);
    register const int32_t *second __asm__("ip") = twiddle + 16 + 4;
    register int32_t *at __asm__("lr") = z + 2 * (1 + 120);
    register const int32_t *first __asm__("r2") = twiddle + 32;
    register const int32_t *end __asm__("r3") = z + 2 * (16 + 120);
    __asm__ volatile("stmdb sp!, {r0, r1, r2, r3, r6, r7}\n"
                     "1:\n\t"
                     "ldr r0, [sp, #8]\n\t"
                     "ldrd r2, r3, [r0], #128\n\t"
                     "str r0, [sp, #8]\n\t"
                     "strd r2, r3, [sp]\n\t" DCP_ALL_OF_16 "add ip, ip, #64\n\t"
                     "add lr, lr, #8\n\t"
                     "ldr r8, [sp, #12]\n\t"
                     "cmp lr, r8\n\t"
                     "bne 1b\n\t"
                     "ldmia sp!, {r0, r1, r2, r3, r6, r7}"
                     : "+r"(at), "+r"(second), "+r"(first), "+r"(end)
                     :
                     : "r0", "r1", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "cc", "memory");
}

/* h = 64: of each j there is one group. Addresses go with the middle of the values, and of the
 * factors of the second stage, or they would be out of reach; that of the first is in the stack. */
#define DCP_ONE_OF_64(a, b, c, d, first, second, third)                                            \
    DCP_QUAD(a, b, c, d, "ldr r10, [sp]\n\t" first, DCP_FACTOR("ip, #" second),                    \
             DCP_FACTOR("ip, #" third), "strd r2, r3, [lr, #" b "]\n\t")

/* The stages 64 and 128; three of the 63 quads in a pass. */
DCP_IN_CODE static inline void dcp_stages64(const int32_t *twiddle, int32_t *z) {
    dcp_group64_of_0(z + 2 * 96, z);
    register const int32_t *second __asm__("ip") = twiddle + 4 + 2 * 64;
    register int32_t *at __asm__("lr") = z + 2 * (1 + 96);
    register const int32_t *first __asm__("r0") = twiddle + 8;
    register const int32_t *end __asm__("r1") = z + 2 * (64 + 96);
    __asm__ volatile(
        "stmdb sp!, {r0, r1, r6, r7}\n"
        "1:\n\t" DCP_ONE_OF_64("-768", "-256", "256", "768",
                               "ldrd r8, r9, [r10], #96\n\tstr r10, [sp]\n\t", "-512", "512")
            DCP_ONE_OF_64("-760", "-248", "264", "776", "ldrd r8, r9, [r10, #-64]\n\t", "-496",
                          "528")
                DCP_ONE_OF_64("-752", "-240", "272", "784", "ldrd r8, r9, [r10, #-32]\n\t", "-480",
                              "544") "add ip, ip, #48\n\t"
                                     "add lr, lr, #24\n\t"
                                     "ldr r8, [sp, #4]\n\t"
                                     "cmp lr, r8\n\t"
                                     "bne 1b\n\t"
                                     "ldmia sp!, {r0, r1, r6, r7}"
        : "+r"(at), "+r"(second), "+r"(first), "+r"(end)
        :
        : "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "cc", "memory");
}

#undef DCP_BUTTERFLY
#undef DCP_QUAD
#undef DCP_FACTOR
#undef DCP_ALL_OF_4
#undef DCP_ALL_OF_16
#undef DCP_ONE_OF_64

#endif

#endif
