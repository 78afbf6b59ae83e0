/* SPDX-License-Identifier: Apache-2.0 */
/* The transform of dyncp_fft.h on Helium: two complex values in a vector, re and im interleaved as
 * in memory.
 *
 * VRMULH(a, 2 m) rounds as rmul(a, m) does, and so does VQRDMULH(a, m). VCADD adds the second
 * operand times j (90 degrees) or -j (270): what is multiplied by j or exchanged costs nothing. */
#ifndef DYNCP_FFT_HELIUM_H
#define DYNCP_FFT_HELIUM_H

#include <arm_mve.h>

#include "dyncp_runtime.h"

/* ---- Sections 3 and 4: twist, and butterfly ---- */

/* Two twiddle factors, each part twice as often. */
typedef struct {
    int32x4_t re, im;
} dcp_factors;

/* Factor k and the one `step` after it. */
static inline dcp_factors dcp_load_factors(const int32_t *twiddle, size_t k, size_t step) {
    const uint32x4_t at = vmulq_n_u32(vshrq_n_u32(vidupq_n_u32(0, 1), 1), (uint32_t)(2 * step));
    dcp_factors w;
    w.re = vldrwq_gather_shifted_offset_s32(twiddle + 2 * k, at);
    w.im = vldrwq_gather_shifted_offset_s32(twiddle + 2 * k + 1, at);
    return w;
}

/* re = q.re w.re - q.im w.im, im = q.im w.re + q.re w.im, each product rounded. */
static inline int32x4_t dcp_twist_two(int32x4_t q, dcp_factors w) {
    return vcaddq_rot90_s32(vrmulhq_s32(q, w.re), vrmulhq_s32(q, w.im));
}

static inline void dcp_butterfly_two(int32x4_t *p, int32x4_t *q, int32x4_t t) {
    const int32x4_t half = vshrq_n_s32(*p, 1);
    *p = vaddq_s32(half, t);
    *q = vsubq_s32(half, t);
}

/* ---- Section 4: transform ---- */

/* Inputs n and n + 1 belong to groups half of all apart. A scatter or gather of 64 bits, as those
 * below, needs addresses of words only: hence the casts by way of void. */
static inline void dcp_scatter(int32_t *z, int32x4_t values) {
    const uint64x2_t groups = {0, DCP_GROUPS / 2 * 8 * sizeof *z};
    vstrdq_scatter_offset_s64((int64_t *)(void *)z, groups, vreinterpretq_s64_s32(values));
}

/* What comes before dcp_stages, the stages h = 1 and 2 or h = 1 alone, on two groups of z, from the
 * inputs n, those half of all, a quarter and three quarters further on, and those after them. */
static inline void dcp_first_quads(int32_t *z, size_t n, int32x4_t a, int32x4_t b, int32x4_t c,
                                   int32x4_t d) {
    int32_t *group = z + 8 * dcp_reversed_group(n);
    dcp_butterfly_two(&a, &b, vshrq_n_s32(b, 1));
    dcp_butterfly_two(&c, &d, vshrq_n_s32(d, 1));
#if DCP_ODD_STAGES
    dcp_scatter(group, a);
    dcp_scatter(group + 2, b);
    dcp_scatter(group + 4, c);
    dcp_scatter(group + 6, d);
#else
    dcp_butterfly_two(&a, &c, vshrq_n_s32(c, 1));
    dcp_scatter(group, a);
    dcp_scatter(group + 4, c);
    /* The quarter turn: w.re = 0, and the products with it; t = j times those with w.im. */
    const int32x4_t products = vqrdmulhq_n_s32(d, -(((int32_t)1 << 30) - 1));
    const int32x4_t half = vshrq_n_s32(b, 1);
    dcp_scatter(group + 2, vcaddq_rot90_s32(half, products));
    dcp_scatter(group + 6, vcaddq_rot270_s32(half, products));
#endif
}

/* From in[points] to where dcp_stages begins. */
static inline void dcp_first_stages(const int32_t *in, int32_t *z) {
    for (size_t n = 0; n < DCP_GROUPS; n += 2) {
        const int32_t *at = in + 2 * n;
        dcp_first_quads(z, n, vld1q_s32(at), vld1q_s32(at + 4 * DCP_GROUPS),
                        vld1q_s32(at + 2 * DCP_GROUPS), vld1q_s32(at + 6 * DCP_GROUPS));
    }
}

/* q times a factor, as section 2 has it: q4. Both values take the same one, in two scalars. */
#define DCP_TWIST_BOTH(q, re, im)                                                                  \
    "vqrdmulh.s32 q4, " q ", " re "\n\t"                                                           \
    "vqrdmulh.s32 q5, " q ", " im "\n\t"                                                           \
    "vcadd.i32 q4, q4, q5, #90\n\t"
#define DCP_TWIST_FIRST(q) DCP_TWIST_BOTH(q, "r0", "r1")
#define DCP_TWIST_SECOND(q) DCP_TWIST_BOTH(q, "r2", "r3")
/* By k = 0. */
#define DCP_HALVE(q) "vshr.s32 q4, " q ", #1\n\t"
/* p and q become (p >> 1) + t and (p >> 1) - t. */
#define DCP_COMBINE(p, q, t)                                                                       \
    "vshr.s32 " p ", " p ", #1\n\t"                                                                \
    "vsub.i32 " q ", " p ", " t "\n\t"                                                             \
    "vadd.i32 " p ", " p ", " t "\n\t"
#define DCP_TWIST_LAST DCP_TWIST_BOTH("q3", "r4", "r5") DCP_COMBINE("q1", "q3", "q4")
/* k = 128, whose real part is 0, and the products with it; t = j times those with the other. */
#define DCP_TURN_LAST                                                                              \
    "vqrdmulh.s32 q4, q3, r5\n\t"                                                                  \
    "vshr.s32 q1, q1, #1\n\t"                                                                      \
    "vcadd.i32 q3, q1, q4, #270\n\t"                                                               \
    "vcadd.i32 q1, q1, q4, #90\n\t"
/* The factors of a stage, of the next one and of its other butterfly. */
#define DCP_FACTORS(first_step, step)                                                              \
    "ldrd r0, r1, [r8], #" first_step "\n\t"                                                       \
    "ldrd r2, r3, [r10], #" step "\n\t"                                                            \
    "ldrd r4, r5, [r11], #" step "\n\t"                                                            \
    "asrs r0, r0, #1\n\t"                                                                          \
    "asrs r1, r1, #1\n\t"                                                                          \
    "asrs r2, r2, #1\n\t"                                                                          \
    "asrs r3, r3, #1\n\t"                                                                          \
    "asrs r4, r4, #1\n\t"                                                                          \
    "asrs r5, r5, #1\n\t"
/* The stages h and 2 h on the values j, j + h, j + 2 h, j + 3 h of two groups, whose addresses are
 * in the 64-bit lanes of q7: a to d is how far from there they lie; the load of b may step. */
#define DCP_QUADS(a, b, step, c, d, first, second, last)                                           \
    "vldrd.u64 q1, [q7, #" step "\n\t" first("q1") "vldrd.u64 q0, [q7, #" a "]\n\t" DCP_COMBINE(   \
        "q0", "q1",                                                                                \
        "q4") "vldrd.u64 q3, [q7, #" d                                                             \
              "]\n\t" first("q3") "vldrd.u64 q2, [q7, #" c "]\n\t" DCP_COMBINE("q2", "q3", "q4")   \
                  second("q2") DCP_COMBINE("q0", "q2", "q4") "vstrd.64 q0, [q7, #" a               \
                                                             "]\n\tvstrd.64 q2, [q7, #" c          \
                                                             "]\n\t" last "vstrd.64 q1, [q7, #" b  \
                                                             "]\n\tvstrd.64 q3, [q7, #" d "]\n\t"
/* Arithmetic of offsets, which the assembler does. */
#define DCP_TEXT(expression) DCP_TEXT_OF(expression)
#define DCP_TEXT_OF(expression) #expression
/* Of many groups of 32 h bytes, two neighbours in a pass; behind the last ones, the addresses are
 * all values further on. */
#define DCP_MANY_GROUPS(h, first, second, last)                                                    \
    "movs r6, #" DCP_TEXT(DCP_POINTS / 8 / h) "\n\t"                                               \
                                              "dls lr, r6\n"                                       \
                                              "1:\n\t" DCP_QUADS("-8 * " #h, "0", "64 * " #h "]!", \
                                                                 "8 * " #h, "16 * " #h, first,     \
                                                                 second, last) "le lr, 1b\n\t"
/* Of four groups, those that are not neighbours; the addresses are in the middle of all four. */
#define DCP_FOUR_GROUPS(h, first, second, last)                                                    \
    DCP_QUADS("-28 * " #h, "-20 * " #h, "-20 * " #h "]", "-12 * " #h, "-4 * " #h, first, second,   \
              last)                                                                                \
    DCP_QUADS("4 * " #h, "12 * " #h, "12 * " #h "]", "20 * " #h, "28 * " #h, first, second, last)
/* Steps of 1024 and 2048 bytes, with 512 points and h = 2, are not in reach of the loads. */
#define DCP_FACTORS_OF_MANY(h)                                                                     \
    DCP_FACTORS(DCP_TEXT(8 * DCP_POINTS / h & 1023), DCP_TEXT(4 * DCP_POINTS / h & 1023))          \
    ".if " DCP_TEXT(8 * DCP_POINTS / h) " == 2048\n\t"                                             \
                                        "add r8, r8, #2048\n\t"                                    \
                                        "add r10, r10, #1024\n\t"                                  \
                                        "add r11, r11, #1024\n\t"                                  \
                                        ".endif\n\t"
/* j = 0, and all others; q6 goes from the addresses of one j to those of the next. */
#define DCP_STAGES_OF_MANY(h)                                                                      \
    DCP_FACTORS_OF_MANY(h)                                                                         \
    DCP_MANY_GROUPS(h, DCP_HALVE, DCP_HALVE, DCP_TURN_LAST)                                        \
    "2:\n\t"                                                                                       \
    "vadd.i32 q7, q7, q6\n\t" DCP_FACTORS_OF_MANY(h) DCP_MANY_GROUPS(                              \
        h, DCP_TWIST_FIRST, DCP_TWIST_SECOND, DCP_TWIST_LAST) "subs ip, ip, #1\n\t"                \
                                                              "bne 2b"
#define DCP_STAGES_OF_FOUR(h)                                                                      \
    DCP_FACTORS("128", "64")                                                                       \
    DCP_FOUR_GROUPS(h, DCP_HALVE, DCP_HALVE, DCP_TURN_LAST)                                        \
    "dls lr, ip\n"                                                                                 \
    "1:\n\t"                                                                                       \
    "vadd.i32 q7, q7, q6\n\t" DCP_FACTORS("128", "64")                                             \
        DCP_FOUR_GROUPS(h, DCP_TWIST_FIRST, DCP_TWIST_SECOND, DCP_TWIST_LAST) "le lr, 1b"

/* Step 2, the stages h and 2 h: the byte that the addresses count from, how far apart two groups of
 * a vector are and how far it is from the addresses behind one j to those of the next. Data,
 * factors and addresses fill the registers exactly, which gcc does not manage. */
#define DCP_TWO_STAGES(name, h, text, middle, apart, further)                                      \
    DCP_IN_CODE static inline void name(const int32_t *twiddle, int32_t *z) {                      \
        const uint32_t at = (uint32_t)(uintptr_t)z + (middle), on = (further);                     \
        const uint32x4_t begin = {at, 0, at + (apart), 0}, steps = {on, 0, on, 0};                 \
        register uint32x4_t groups __asm__("q7") = begin;                                          \
        register const uint32x4_t step __asm__("q6") = steps;                                      \
        register const int32_t *first __asm__("r8") = twiddle;                                     \
        register const int32_t *second __asm__("r10") = twiddle;                                   \
        register const int32_t *third __asm__("r11") = twiddle + DCP_POINTS;                       \
        register size_t left __asm__("ip") = (h)-1;                                                \
        __asm__ volatile(text                                                                      \
                         : "+w"(groups), "+r"(first), "+r"(second), "+r"(third), "+r"(left)        \
                         : "w"(step)                                                               \
                         : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "q0", "q1", "q2", "q3", "q4", \
                           "q5", "lr", "cc", "memory");                                            \
    }
#define DCP_TWO_STAGES_OF_MANY(name, h)                                                            \
    DCP_TWO_STAGES(name, h, DCP_STAGES_OF_MANY(h), 8u * (h)-64u * (h), 32u * (h),                  \
                   8u - 8u * DCP_POINTS)
#define DCP_TWO_STAGES_OF_FOUR(name, h)                                                            \
    DCP_TWO_STAGES(name, h, DCP_STAGES_OF_FOUR(h), 28u * (h), 64u * (h), 8u)
#if DCP_POINTS == 64
DCP_TWO_STAGES_OF_FOUR(dcp_stages4, 4)
#elif DCP_POINTS == 128
DCP_TWO_STAGES_OF_MANY(dcp_stages2, 2)
DCP_TWO_STAGES_OF_FOUR(dcp_stages8, 8)
#elif DCP_POINTS == 256
DCP_TWO_STAGES_OF_MANY(dcp_stages4, 4)
DCP_TWO_STAGES_OF_FOUR(dcp_stages16, 16)
#else
DCP_TWO_STAGES_OF_MANY(dcp_stages2, 2)
DCP_TWO_STAGES_OF_MANY(dcp_stages8, 8)
DCP_TWO_STAGES_OF_FOUR(dcp_stages32, 32)
#endif

/* The last two stages have one group: j and j + 1 are neighbours, with factors of their own. Here
 * is j = 0. */
DCP_IN_CODE static inline void dcp_last_quads(const int32_t *twiddle, int32_t *z) {
    /* The first of the two is the twist by k = 0. */
    const mve_pred16_t halved = vctp32q(2);
    const dcp_factors first = dcp_load_factors(twiddle, 0, 4);
    int32x4_t a = vld1q_s32(z), b = vld1q_s32(z + DCP_POINTS / 2);
    int32x4_t c = vld1q_s32(z + DCP_POINTS), d = vld1q_s32(z + 3 * DCP_POINTS / 2);
    dcp_butterfly_two(&a, &b, vshrq_m_n_s32(dcp_twist_two(b, first), b, 1, halved));
    dcp_butterfly_two(&c, &d, vshrq_m_n_s32(dcp_twist_two(d, first), d, 1, halved));
    const int32x4_t from_c = dcp_twist_two(c, dcp_load_factors(twiddle, 0, 2));
    dcp_butterfly_two(&a, &c, vshrq_m_n_s32(from_c, c, 1, halved));
    dcp_butterfly_two(&b, &d, dcp_twist_two(d, dcp_load_factors(twiddle, DCP_POINTS / 2, 2)));
    vst1q_s32(z, a);
    vst1q_s32(z + DCP_POINTS / 2, b);
    vst1q_s32(z + DCP_POINTS, c);
    vst1q_s32(z + 3 * DCP_POINTS / 2, d);
}

/* Two values q times two factors: t. What q and `im` were is lost. */
#define DCP_TWIST_EACH(q, re, im, t, other)                                                        \
    "vrmulh.s32 " t ", " q ", " re "\n\t"                                                          \
    "vrmulh.s32 " other ", " q ", " im "\n\t"                                                      \
    "vcadd.i32 " t ", " t ", " other ", #90\n\t"
#define DCP_FACTORS_EACH(re, im, words)                                                            \
    "vldrw.u32 q4, [%[" re "], " words ", uxtw #2]\n\t"                                            \
    "vldrw.u32 q5, [%[" im "], " words ", uxtw #2]\n\t"
#define DCP_LOAD_EACH(q, from) "vldrw.u32 " q ", [%[" from "]]\n\t"
#define DCP_STORE_EACH(q, to) "vstrw.32 " q ", [%[" to "]], #16\n\t"
#define DCP_LAST_QUADS                                                                             \
    DCP_FACTORS_EACH("re", "im", "q6")                                                             \
    DCP_LOAD_EACH("q1", "b")                                                                       \
    DCP_TWIST_EACH("q1", "q4", "q5", "q7", "q2")                                                   \
    DCP_LOAD_EACH("q0", "a")                                                                       \
    DCP_COMBINE("q0", "q1", "q7")                                                                  \
    DCP_LOAD_EACH("q3", "d")                                                                       \
    DCP_TWIST_EACH("q3", "q4", "q5", "q7", "q2")                                                   \
    DCP_LOAD_EACH("q2", "c")                                                                       \
    DCP_COMBINE("q2", "q3", "q7")                                                                  \
    "vshr.u32 q7, q6, #1\n\t" DCP_FACTORS_EACH("re", "im", "q7")                                   \
        DCP_TWIST_EACH("q2", "q4", "q5", "q4", "q5") DCP_COMBINE("q0", "q2", "q4")                 \
            DCP_STORE_EACH("q0", "a") DCP_STORE_EACH("q2", "c") "vmov.i32 q4, #" DCP_TEXT(         \
                DCP_POINTS) "\n\t"                                                                 \
                            "vadd.i32 q7, q7, q4\n\t" DCP_FACTORS_EACH("re", "im", "q7")           \
                                DCP_TWIST_EACH("q3", "q4", "q5", "q4", "q5")                       \
                                    DCP_COMBINE("q1", "q3", "q4") DCP_STORE_EACH("q1", "b")        \
                                        DCP_STORE_EACH("q3", "d") "vadd.i32 q6, q6, %[step]\n\t"

/* All j from 2 on. q6 has how far the factors of the first stage lie from twiddle, in words; those
 * of the second lie half as far, and those of its other butterfly DCP_POINTS further on. */
DCP_IN_CODE static inline void dcp_last_stages(const int32_t *twiddle, int32_t *z) {
    const uint32x4_t begin = {16, 16, 24, 24};
    register uint32x4_t far __asm__("q6") = begin;
    int32_t *a = z + 4, *b = a + DCP_POINTS / 2, *c = b + DCP_POINTS / 2, *d = c + DCP_POINTS / 2;
    __asm__ volatile("mov lr, #" DCP_TEXT(DCP_POINTS / 8 - 1) "\n\t"
                                                              "dls lr, lr\n"
                                                              "1:\n\t" DCP_LAST_QUADS "le lr, 1b"
                     : "+w"(far), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d)
                     : [re] "r"(twiddle), [im] "r"(twiddle + 1), [step] "r"(16)
                     : "q0", "q1", "q2", "q3", "q4", "q5", "q7", "lr", "memory", "cc");
}

/* Step 2, from the stage on that dcp_first_stages leaves. */
DYNCP_ONCE static void dcp_stages(const int32_t *twiddle, int32_t *z) {
#if DCP_ODD_STAGES
    dcp_stages2(twiddle, z);
    dcp_stages8(twiddle, z);
#if DCP_POINTS == 512
    dcp_stages32(twiddle, z);
#endif
#else
    dcp_stages4(twiddle, z);
#if DCP_POINTS == 256
    dcp_stages16(twiddle, z);
#endif
#endif
    dcp_last_quads(twiddle, z);
    dcp_last_stages(twiddle, z);
}

#endif
