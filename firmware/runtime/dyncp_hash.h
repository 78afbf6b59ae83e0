/* SPDX-License-Identifier: Apache-2.0 */
/* The hash of a self-test: FNV-1a, by words of 32 bits instead of bytes. Each step maps the hash
 * one to one, so that a change within one word always changes the result. Values are hashed, not
 * their bytes in memory: big-endian cores get the same. */
#ifndef DYNCP_HASH_H
#define DYNCP_HASH_H

#include <stddef.h>
#include <stdint.h>

#define DCP_HASH_START 2166136261u

static inline uint32_t dcp_hash_word(uint32_t hash, uint32_t word) {
    return (hash ^ word) * 16777619u;
}

/* Bytes by fours, the first the lowest: tables of them have multiples of four. */
static inline uint32_t dcp_hash8(uint32_t hash, const void *values, size_t count) {
    const uint8_t *v = (const uint8_t *)values;
    for (; count > 0; count -= 4, v += 4) {
        hash = dcp_hash_word(hash, v[0] | (uint32_t)v[1] << 8 | (uint32_t)v[2] << 16 |
                                       (uint32_t)v[3] << 24);
    }
    return hash;
}

static inline uint32_t dcp_hash16(uint32_t hash, const void *values, size_t count) {
    const uint16_t *v = (const uint16_t *)values;
    for (size_t n = 0; n < count; n++) {
        hash = dcp_hash_word(hash, v[n]);
    }
    return hash;
}

static inline uint32_t dcp_hash32(uint32_t hash, const void *values, size_t count) {
    const uint32_t *v = (const uint32_t *)values;
    for (size_t n = 0; n < count; n++) {
        hash = dcp_hash_word(hash, v[n]);
    }
    return hash;
}

/* The lower word first. */
static inline uint32_t dcp_hash64(uint32_t hash, const void *values, size_t count) {
    const uint64_t *v = (const uint64_t *)values;
    for (size_t n = 0; n < count; n++) {
        hash = dcp_hash_word(dcp_hash_word(hash, (uint32_t)v[n]), (uint32_t)(v[n] >> 32));
    }
    return hash;
}

#endif
