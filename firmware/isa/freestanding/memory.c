/* SPDX-License-Identifier: Apache-2.0 */
/* What a compiler may call of itself. */

#include <stdint.h>
#include <string.h>

/* Keeps the compiler from seeing a memcpy in the loop of memcpy. */
#if defined(__clang__)
#define PLAIN_LOOPS __attribute__((no_builtin))
#else
#define PLAIN_LOOPS __attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif

typedef uint32_t __attribute__((may_alias)) word;

PLAIN_LOOPS static void copy(void *restrict to, const void *restrict from, size_t bytes) {
    unsigned char *out = to;
    const unsigned char *in = from;
    if ((((uintptr_t)to | (uintptr_t)from) & (sizeof(word) - 1)) == 0) {
        for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
            *(word *)out = *(const word *)in;
            out += sizeof(word);
            in += sizeof(word);
        }
    }
    while (bytes-- > 0) {
        *out++ = *in++;
    }
}

PLAIN_LOOPS static void move(void *to, const void *from, size_t bytes) {
    unsigned char *out = to;
    const unsigned char *in = from;
    if ((uintptr_t)out <= (uintptr_t)in) {
        while (bytes-- > 0) {
            *out++ = *in++;
        }
        return;
    }
    while (bytes-- > 0) {
        out[bytes] = in[bytes];
    }
}

PLAIN_LOOPS static void fill(void *to, int value, size_t bytes) {
    unsigned char *out = to;
    if (((uintptr_t)to & (sizeof(word) - 1)) == 0) {
        const uint32_t filled = (unsigned char)value * 0x01010101u;
        for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
            *(word *)out = filled;
            out += sizeof(word);
        }
    }
    while (bytes-- > 0) {
        *out++ = (unsigned char)value;
    }
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    copy(to, from, bytes);
    return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
    move(to, from, bytes);
    return to;
}

void *memset(void *to, int value, size_t bytes) {
    fill(to, value, bytes);
    return to;
}

PLAIN_LOOPS size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length] != '\0') {
        ++length;
    }
    return length;
}

#if defined(__arm__)
/* What Arm's run-time ABI calls them, and so clang, even in calls of these. */
#define ALIGNED_OR_NOT(name, parameters, call)                                                     \
    void name parameters;                                                                          \
    void name##4 parameters;                                                                       \
    void name##8 parameters;                                                                       \
    void name parameters {                                                                         \
        call;                                                                                      \
    }                                                                                              \
    void name##4 parameters {                                                                      \
        call;                                                                                      \
    }                                                                                              \
    void name##8 parameters {                                                                      \
        call;                                                                                      \
    }
ALIGNED_OR_NOT(__aeabi_memcpy, (void *to, const void *from, size_t bytes), copy(to, from, bytes))
ALIGNED_OR_NOT(__aeabi_memmove, (void *to, const void *from, size_t bytes), move(to, from, bytes))
ALIGNED_OR_NOT(__aeabi_memset, (void *to, size_t bytes, int value), fill(to, value, bytes))
ALIGNED_OR_NOT(__aeabi_memclr, (void *to, size_t bytes), fill(to, 0, bytes))
#endif
