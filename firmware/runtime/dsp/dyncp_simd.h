/* SPDX-License-Identifier: Apache-2.0 */
/* The instructions of the DSP extension of Armv7E-M and Armv8-M that dyncp_dsp.h is made of, each
 * beside what it does in C: that is what a compiler without GNU assembly makes of it, and the tests
 * on the host. A word holds two halves, or four bytes; memory is little-endian. */
#ifndef DYNCP_SIMD_H
#define DYNCP_SIMD_H

#include <string.h>

#include "dyncp_runtime.h"

#if DCP_SIMD
#define DCP_UNARY(name, text, meaning)                                                             \
    static inline uint32_t name(uint32_t a) {                                                      \
        uint32_t result;                                                                           \
        __asm__(text : "=r"(result) : "r"(a));                                                     \
        return result;                                                                             \
    }
#define DCP_BINARY(name, text, meaning)                                                            \
    static inline uint32_t name(uint32_t a, uint32_t b) {                                          \
        uint32_t result;                                                                           \
        __asm__(text : "=r"(result) : "r"(a), "r"(b));                                             \
        return result;                                                                             \
    }
#define DCP_TERNARY(name, text, meaning)                                                           \
    static inline uint32_t name(uint32_t a, uint32_t b, uint32_t c) {                              \
        uint32_t result;                                                                           \
        __asm__(text : "=r"(result) : "r"(a), "r"(b), "r"(c));                                     \
        return result;                                                                             \
    }
#else
#define DCP_UNARY(name, text, meaning)                                                             \
    static inline uint32_t name(uint32_t a) {                                                      \
        return meaning;                                                                            \
    }
#define DCP_BINARY(name, text, meaning)                                                            \
    static inline uint32_t name(uint32_t a, uint32_t b) {                                          \
        return meaning;                                                                            \
    }
#define DCP_TERNARY(name, text, meaning)                                                           \
    static inline uint32_t name(uint32_t a, uint32_t b, uint32_t c) {                              \
        return meaning;                                                                            \
    }
#endif

static inline int32_t dcp_low(uint32_t a) {
    return (int16_t)(a & 0xffffu);
}

static inline int32_t dcp_high(uint32_t a) {
    return (int16_t)(a >> 16);
}

static inline int32_t dcp_byte(uint32_t a, int n) {
    return (int8_t)(a >> 8 * n & 0xffu);
}

static inline uint32_t dcp_halves(int32_t low, int32_t high) {
    return ((uint32_t)low & 0xffffu) | (uint32_t)high << 16;
}

/* Bytes 0 and 2, or 1 and 3, as halves; the same added to the halves of a. */
DCP_UNARY(dcp_even, "sxtb16 %0, %1", dcp_halves(dcp_byte(a, 0), dcp_byte(a, 2)))
DCP_UNARY(dcp_odd, "sxtb16 %0, %1, ror #8", dcp_halves(dcp_byte(a, 1), dcp_byte(a, 3)))
DCP_BINARY(dcp_add_even, "sxtab16 %0, %1, %2",
           dcp_halves(dcp_low(a) + dcp_byte(b, 0), dcp_high(a) + dcp_byte(b, 2)))
DCP_BINARY(dcp_add_odd, "sxtab16 %0, %1, %2, ror #8",
           dcp_halves(dcp_low(a) + dcp_byte(b, 1), dcp_high(a) + dcp_byte(b, 3)))

/* Lower or upper halves of a and b. */
DCP_BINARY(dcp_lower, "pkhbt %0, %1, %2, lsl #16", dcp_halves(dcp_low(a), dcp_low(b)))
DCP_BINARY(dcp_upper, "pkhtb %0, %2, %1, asr #16", dcp_halves(dcp_high(a), dcp_high(b)))

DCP_BINARY(dcp_add16, "sadd16 %0, %1, %2",
           dcp_halves(dcp_low(a) + dcp_low(b), dcp_high(a) + dcp_high(b)))
DCP_BINARY(dcp_sub16, "ssub16 %0, %1, %2",
           dcp_halves(dcp_low(a) - dcp_low(b), dcp_high(a) - dcp_high(b)))

/* dcp_relu16 of both halves. */
DCP_UNARY(dcp_relu16_both, "usat16 %0, #15, %1",
          dcp_halves(dcp_relu16(dcp_low(a)), dcp_relu16(dcp_high(a))))

/* c + the product of the lower halves, of the upper halves, of both; the sum may wrap. */
DCP_TERNARY(dcp_mac_low, "smlabb %0, %1, %2, %3", c + (uint32_t)(dcp_low(a) * dcp_low(b)))
DCP_TERNARY(dcp_mac_high, "smlatt %0, %1, %2, %3", c + (uint32_t)(dcp_high(a) * dcp_high(b)))
DCP_TERNARY(dcp_mac_both, "smlad %0, %1, %2, %3",
            c + (uint32_t)(dcp_low(a) * dcp_low(b)) + (uint32_t)(dcp_high(a) * dcp_high(b)))

/* c + (the word a times the lower or upper half of b) >> 16. */
DCP_TERNARY(dcp_scale_low, "smlawb %0, %1, %2, %3",
            c + (uint32_t)(((int64_t)(int32_t)a * dcp_low(b)) >> 16))
DCP_TERNARY(dcp_scale_high, "smlawt %0, %1, %2, %3",
            c + (uint32_t)(((int64_t)(int32_t)a * dcp_high(b)) >> 16))

#undef DCP_UNARY
#undef DCP_BINARY
#undef DCP_TERNARY

/* The upper 17 bits, saturated to int8. */
static inline uint32_t dcp_top17_sat8(uint32_t a) {
#if DCP_SIMD
    __asm__("ssat %0, #8, %0, asr #15" : "+r"(a));
    return a;
#else
    return (uint32_t)dcp_sat8((int32_t)a >> 15);
#endif
}

/* a with byte 0 of b in place of its byte 1. */
static inline uint32_t dcp_insert_byte(uint32_t a, uint32_t b) {
#if DCP_SIMD
    __asm__("bfi %0, %1, #8, #8" : "+r"(a) : "r"(b));
    return a;
#else
    return (a & 0xffff00ffu) | (b & 0xffu) << 8;
#endif
}

/* Byte 0 of each. */
static inline uint32_t dcp_bytes(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    return dcp_lower(dcp_insert_byte(a, b), dcp_insert_byte(c, d));
}

/* Position of the lowest one. */
static inline size_t dcp_lowest(uint32_t bits) {
#if defined(__GNUC__)
    return (size_t)__builtin_ctz(bits);
#else
    return dcp_popcount((bits & (0u - bits)) - 1);
#endif
}

/* Words from anywhere: LDR and STR need no alignment. */
static inline uint32_t dcp_load32(const void *p) {
    uint32_t word;
    (void)memcpy(&word, p, sizeof word);
    return word;
}

static inline void dcp_store32(void *p, uint32_t word) {
    (void)memcpy(p, &word, sizeof word);
}

#endif
