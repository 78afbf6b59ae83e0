/* SPDX-License-Identifier: Apache-2.0 */
/* Integer arithmetic, packed masks, trace points. Section numbers refer to docs/arithmetic.md. */
#ifndef DYNCP_RUNTIME_H
#define DYNCP_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "dyncp_sections.h"

/* Generated code refuses a runtime of another version. */
#define DYNCP_RUNTIME_VERSION 9

/* First word of an initialized state: "DCP1". */
#define DCP_MAGIC 0x44435031u

/* Section 1 takes >> as an arithmetic shift, which C99 leaves to the implementation. */
typedef char dcp_right_shift_is_arithmetic[(-3 >> 1) == -2 && ((int64_t)-3 >> 1) == -2 ? 1 : -1];

/* ---- Trace points and marks (docs/emitted-c.md) ---- */

#if defined(DYNCP_TRACE)
#define DYNCP_STAGE(prefix, id, data, bytes) prefix##_trace(id, data, bytes)
#define DYNCP_BEGIN(prefix) ((void)0)
#elif defined(DYNCP_MARKS)
/* The arguments expand before they become a label: DYNCP_STAGE_FRONT to 2, then to dyncp_mark_2. */
#define DYNCP_STAGE(prefix, id, data, bytes) DCP_LABEL(prefix##_mark_, id)
#define DYNCP_BEGIN(prefix) DCP_LABEL(prefix##_mark_, begin)
#define DCP_LABEL(name, id) DCP_LABEL_TEXT(name, id)
#define DCP_LABEL_TEXT(name, id) __asm__ volatile(#name #id ":" ::: "memory")
#elif defined(__GNUC__)
/* The barrier of a label without the label, and not empty, so that gcc takes it to be as long as
 * one: what an emulator counts is the code that ships. */
#define DYNCP_STAGE(prefix, id, data, bytes) __asm__ volatile(" " ::: "memory")
#define DYNCP_BEGIN(prefix) __asm__ volatile(" " ::: "memory")
#else
#define DYNCP_STAGE(prefix, id, data, bytes) ((void)0)
#define DYNCP_BEGIN(prefix) ((void)0)
#endif

/* A stage that some frames leave out, or that follows one: a trace is given no data where it did
 * not run. Compilers copy short code behind a branch, and a label with it, so it is made to look
 * long: to gcc by lines, to clang, which takes any text for one instruction, by statements. */
#define DCP_LONG "\n\n\n\n\n\n\n\n\n\n"
#if defined(__clang__)
#define DCP_LONG_BARRIER(text)                                                                     \
    do {                                                                                           \
        __asm__ volatile("" ::: "memory");                                                         \
        __asm__ volatile("" ::: "memory");                                                         \
        __asm__ volatile("" ::: "memory");                                                         \
        __asm__ volatile("" ::: "memory");                                                         \
        __asm__ volatile(text ::: "memory");                                                       \
    } while (0)
#else
#define DCP_LONG_BARRIER(text) __asm__ volatile(text DCP_LONG ::: "memory")
#endif
#if defined(DYNCP_TRACE)
#define DYNCP_STAGE_IF(ran, prefix, id, data, bytes)                                               \
    prefix##_trace(id, (ran) ? (const void *)(data) : NULL, bytes)
#elif defined(DYNCP_MARKS)
#define DYNCP_STAGE_IF(ran, prefix, id, data, bytes) DCP_LONG_LABEL(prefix##_mark_, id)
#define DCP_LONG_LABEL(name, id) DCP_LONG_LABEL_TEXT(name, id)
#define DCP_LONG_LABEL_TEXT(name, id) DCP_LONG_BARRIER(#name #id ":")
#elif defined(__GNUC__)
#define DYNCP_STAGE_IF(ran, prefix, id, data, bytes) DCP_LONG_BARRIER(" ")
#else
#define DYNCP_STAGE_IF(ran, prefix, id, data, bytes) ((void)0)
#endif

/* A copy of a function would define its labels twice. */
#if defined(__clang__)
#define DYNCP_ONCE DCP_IN_CODE __attribute__((noinline))
#elif defined(__GNUC__)
#define DYNCP_ONCE DCP_IN_CODE __attribute__((noinline, noclone))
#else
#define DYNCP_ONCE
#endif

/* Which instructions are written out, 1 or 0: saturation of all Armv7-M, those of the DSP
 * extension, those of Helium. None with DYNCP_PORTABLE defined, and none in Arm mode (cores of the
 * profiles A and R), where the same mnemonics take other operands. Packed values are taken to lie
 * in little-endian order. */
#if !defined(DYNCP_PORTABLE) && defined(__GNUC__) && defined(__ARM_FEATURE_SAT) &&                 \
    defined(__thumb2__) && !defined(__ARM_BIG_ENDIAN)
#define DCP_ARM 1
#else
#define DCP_ARM 0
#endif

#if DCP_ARM && defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_SIMD32)
#define DCP_SIMD 1
#else
#define DCP_SIMD 0
#endif

/* Whether a word may be loaded from any address. */
#if defined(__ARM_FEATURE_UNALIGNED)
#define DCP_UNALIGNED 1
#else
#define DCP_UNALIGNED 0
#endif

#if DCP_ARM && !defined(DYNCP_DSP) && defined(__ARM_FEATURE_MVE)
#define DCP_HELIUM (__ARM_FEATURE_MVE & 1)
#else
#define DCP_HELIUM 0
#endif

/* Whether a core has no instruction for a product of 64 bits, as those of Armv6-M. */
#if defined(DYNCP_BY_HALVES) || (defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1)
#define DCP_BY_HALVES 1
#else
#define DCP_BY_HALVES 0
#endif

/* Whether dyncp_kernels.h takes the kernels of dyncp_dsp.h. DYNCP_DSP takes them on any core, in
 * plain C where the core lacks their instructions. */
#if defined(DYNCP_DSP) || (DCP_SIMD && !DCP_HELIUM)
#define DCP_DSP 1
#if defined(__ARM_BIG_ENDIAN) || (defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
#error "DYNCP_DSP is for little-endian cores; without it, this one takes the portable kernels"
#endif
#else
#define DCP_DSP 0
#endif

/* ---- Section 1: requantization and saturation ---- */

/* dcp_rmul with the multiplier doubled beforehand (once for a loop, say): one instruction, or the
 * upper word of the product and the bit below it. */
static inline int32_t dcp_rmul2(int32_t a, int32_t twice_m) {
#if DCP_SIMD
    int32_t result;
    __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(twice_m));
    return result;
#elif DCP_BY_HALVES
    /* By halves; the products of unlike halves are below 2^31. */
    const int32_t a_high = a >> 16, m_high = twice_m >> 16;
    const uint32_t a_low = (uint32_t)a & 0xffffu, m_low = (uint32_t)twice_m & 0xffffu;
    const int32_t first = a_high * (int32_t)m_low, second = m_high * (int32_t)a_low;
    const uint32_t middle =
        (a_low * m_low >> 16) + ((uint32_t)first & 0xffffu) + ((uint32_t)second & 0xffffu);
    /* The upper word, and the bit below it. */
    return a_high * m_high + (first >> 16) + (second >> 16) + (int32_t)(middle >> 16) +
           (int32_t)(middle >> 15 & 1u);
#else
    const int64_t product = (int64_t)a * twice_m;
    return (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
#endif
}

/* Sums, differences and multiples that wrap where the operands come from a state that may have been
 * corrupted; of sound ones none does. */
static inline int32_t dcp_wrap_add(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t dcp_wrap_subtract(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

static inline int32_t dcp_wrap_256(int32_t a) {
    return (int32_t)((uint32_t)a << 8);
}

/* sum + dcp_rmul2(a, twice_m): also one instruction. */
static inline int32_t dcp_rmul2_add(int32_t sum, int32_t a, int32_t twice_m) {
#if DCP_SIMD
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(twice_m), "r"(sum));
    return result;
#else
    return dcp_wrap_add(sum, dcp_rmul2(a, twice_m));
#endif
}

static inline int32_t dcp_rmul(int32_t a, int32_t m) {
    return dcp_rmul2(a, 2 * m);
}

static inline int32_t dcp_clamp(int32_t v, int32_t low, int32_t high) {
    return (v < low) ? low : ((v > high) ? high : v);
}

/* dcp_clamp to `bits` bits, signed or not. SSAT and USAT are in all of Armv7-M; left to itself, gcc
 * makes six instructions of it in most loops. */
#if DCP_ARM
#define DCP_SATURATE(instruction, bits, low, high)                                                 \
    int32_t saturated;                                                                             \
    __asm__(instruction " %0, %1, %2" : "=r"(saturated) : "I"(bits), "r"(v))
#else
#define DCP_SATURATE(instruction, bits, low, high) const int32_t saturated = dcp_clamp(v, low, high)
#endif

static inline int8_t dcp_sat8(int32_t v) {
    DCP_SATURATE("ssat", 8, -128, 127);
    return (int8_t)saturated;
}

static inline int16_t dcp_sat16(int32_t v) {
    DCP_SATURATE("ssat", 16, -32768, 32767);
    return (int16_t)saturated;
}

static inline int8_t dcp_relu8(int32_t v) {
    DCP_SATURATE("usat", 7, 0, 127);
    return (int8_t)saturated;
}

static inline int16_t dcp_relu16(int32_t v) {
    DCP_SATURATE("usat", 15, 0, 32767);
    return (int16_t)saturated;
}

/* Of v > 0. */
static inline uint32_t dcp_leading_zeros(uint32_t v) {
#if defined(__GNUC__)
    return (uint32_t)__builtin_clz(v);
#else
    uint32_t zeros = 0;
    while ((zeros < 31u) && ((v >> 31) == 0u)) {
        v <<= 1;
        zeros++;
    }
    return zeros;
#endif
}

/* ---- Section 7: packed masks ---- */

static inline int dcp_is_active(const uint32_t *mask, size_t channel) {
    return (int)((mask[channel / 32] >> (channel % 32)) & 1u);
}

/* Number of ones, by sums of neighbouring fields of 1, 2, 4 and then 8 bits. */
static inline uint32_t dcp_popcount(uint32_t v) {
    v = v - ((v >> 1) & 0x55555555u);
    v = (v & 0x33333333u) + ((v >> 2) & 0x33333333u);
    v = (v + (v >> 4)) & 0x0f0f0f0fu;
    return (v * 0x01010101u) >> 24;
}

/* Whether any channel of a block is active, and how many are. */
static inline int dcp_any(const uint32_t *mask, size_t words) {
    uint32_t any = 0;
    for (size_t n = 0; n < words; n++) {
        any |= mask[n];
    }
    return any != 0;
}

static inline uint32_t dcp_count(const uint32_t *mask, size_t words) {
    uint32_t active = 0;
    for (size_t n = 0; n < words; n++) {
        active += dcp_popcount(mask[n]);
    }
    return active;
}

#endif
