/* SPDX-License-Identifier: Apache-2.0 */
/* Part of dyncp_fft_scalar.h on cores with the DSP extension: two stages of the transform on four
 * values at a time. Section numbers refer to docs/arithmetic.md.
 *
 * Four values and what a twist needs are twelve registers: one piece of assembly, as gcc keeps some
 * of them in memory. r7, which may be the frame pointer, is saved and restored. */
#ifndef DYNCP_DSP_FFT_H
#define DYNCP_DSP_FFT_H

#include "dyncp_runtime.h"

#if DCP_SIMD

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
/* dcp_quad: where values lie from lr on, what loads the factors of the second stage, what steps. */
#define DCP_QUAD(a, b, c, d, second, third, store_a)                                               \
    "ldrd r2, r3, [lr, #" b                                                                        \
    "]\n\t" DCP_TWIST("r2", "r3") "ldrd r0, r1, [lr, #" a "]\n\t" DCP_BUTTERFLY(                   \
        "r0", "r1", "r2",                                                                          \
        "r3") "ldrd r6, r7, [lr, #" d                                                              \
              "]\n\t" DCP_TWIST("r6", "r7") "ldrd r4, r5, [lr, #" c "]\n\t" DCP_BUTTERFLY(         \
                  "r4", "r5", "r6", "r7") second DCP_TWIST("r4", "r5")                             \
                  DCP_BUTTERFLY("r0", "r1", "r4",                                                  \
                                "r5") "strd r4, r5, [lr, #" c "]\n\t" third DCP_TWIST("r6", "r7")  \
                      DCP_BUTTERFLY("r2", "r3", "r6", "r7") "strd r6, r7, [lr, #" d "]\n\t"        \
                                                            "strd r2, r3, [lr, #" b                \
                                                            "]\n\t" store_a

/* What the values j, j + h, j + 2 h and j + 3 h of all groups are twisted by, and behind which
 * address of the first there is none. */
typedef struct {
    int32_t first[2], second[2], third[2];
    const int32_t *end;
} dcp_twists;

/* All groups from that of z on, which is `step` bytes before the next. */
#define DCP_GROUPS(name, b, c, d, step)                                                            \
    DCP_IN_CODE static inline void name(const dcp_twists *twists, int32_t *z) {                    \
        register const dcp_twists *w __asm__("ip") = twists;                                       \
        register int32_t *at __asm__("lr") = z;                                                    \
        __asm__ volatile(                                                                          \
            "str r7, [sp, #-8]!\n"                                                                 \
            "1:\n\t"                                                                               \
            "ldrd r8, r9, [ip]\n\t" DCP_QUAD(                                                      \
                "0", b, c, d, "ldrd r8, r9, [ip, #8]\n\t", "ldrd r8, r9, [ip, #16]\n\t",           \
                "strd r0, r1, [lr], #" step "\n\t") "ldr r8, [ip, #24]\n\t"                        \
                                                    "cmp lr, r8\n\t"                               \
                                                    "bne 1b\n\t"                                   \
                                                    "ldr r7, [sp], #8"                             \
            : "+r"(at)                                                                             \
            : "r"(w)                                                                               \
            : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "cc", "memory"); \
    }
DCP_GROUPS(dcp_groups4, "32", "64", "96", "128")
DCP_GROUPS(dcp_groups16, "128", "256", "384", "512")
#undef DCP_GROUPS

/* The stages h and 2 h, j from 1 on, h = 4 or 16. */
DCP_IN_CODE static inline void dcp_two_stages_from1(const int32_t *twiddle, int32_t *z, size_t h) {
    for (size_t j = 1; j < h; j++) {
        const int32_t *first = twiddle + 2 * j * (256 / h), *second = twiddle + j * (256 / h);
        const dcp_twists twists = {{first[0], first[1]},
                                   {second[0], second[1]},
                                   {second[2 * 128], second[2 * 128 + 1]},
                                   z + 2 * (256 + j)};
        if (h == 4) {
            dcp_groups4(&twists, z + 2 * j);
        } else {
            dcp_groups16(&twists, z + 2 * j);
        }
    }
}

/* The stages 64 and 128, j from 1 on: of each j there is one group. Addresses go with the middle of
 * the values, and of the factors of the second stage, or they would be out of reach. */
DCP_IN_CODE static inline void dcp_last_stages_from1(const int32_t *twiddle, int32_t *z) {
    const struct { const int32_t *first, *end; } bounds = {twiddle + 8, z + 2 * (64 + 96)};
    const int32_t *const middle = twiddle + 4 + 2 * 64;
    register const int32_t *second __asm__("ip") = middle;
    register int32_t *at __asm__("lr") = z + 2 * (1 + 96);
    register const void *listed __asm__("r0") = &bounds;
    __asm__ volatile(
        "ldrd r0, r1, [r0]\n\t"
        "stmdb sp!, {r0, r1, r2, r7}\n"
        "1:\n\t"
        "ldr r10, [sp]\n\t"
        "ldrd r8, r9, [r10], #32\n\t"
        "str r10, [sp]\n\t" DCP_QUAD(
            "-768", "-256", "256", "768", "ldrd r8, r9, [ip, #-512]\n\t",
            "ldrd r8, r9, [ip, #512]\n\tadd ip, ip, #16\n\t",
            "strd r0, r1, [lr, #-768]\n\tadd lr, lr, #8\n\t") "ldr r8, [sp, #4]\n\t"
                                                              "cmp lr, r8\n\t"
                                                              "bne 1b\n\t"
                                                              "ldmia sp!, {r0, r1, r2, r7}"
        : "+r"(at), "+r"(second), "+r"(listed)
        :
        : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "cc", "memory");
}

#undef DCP_TWIST
#undef DCP_BUTTERFLY
#undef DCP_QUAD

#endif

#endif
