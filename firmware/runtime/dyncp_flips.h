/* SPDX-License-Identifier: Apache-2.0 */
/* Which mask bits flipped, and the rows of their probe weights. Section numbers refer to
 * docs/arithmetic.md. */
#ifndef DYNCP_FLIPS_H
#define DYNCP_FLIPS_H

#include "dyncp_layers.h"

/* Section 9: a probe table. A row holds a feature's weights of all outputs, int8 or int16, padded
 * with zeros to a multiple of 8; tables name it by where it begins, in units of 8 bytes. Counted
 * from the highest bit of mask word i down, bit n has the row row[32 i + n], if it is a feature:
 * if used[i] has it. Eight bytes behind the last row may be read. */
typedef struct {
    const uint16_t *row;  /* [32 words] */
    const uint32_t *used; /* [words] */
    const void *weight;   /* aligned as DCP_ALIGNED */
    size_t words, outputs;
} dcp_probes;

/* A pass over a frame's masks, and the rows of bits that flipped: to add, those before `up`, and to
 * subtract, those from `down` on. On Arm the first five members are read by their places. */
enum { DCP_ROWS_LISTED = 64 };
typedef struct {
#if DCP_ARM
    uintptr_t table; /* with 16 times the address behind a mask word: of its part of `row` */
    uint32_t top;    /* the highest bit */
#else
    const uint16_t *row;  /* of the bits of the next word */
    const uint32_t *used; /* which of them are features */
#endif
    uint16_t *up, *down;
#if DCP_ARM
    uintptr_t used; /* with the address behind a mask word: of which of its bits are features */
#endif
    const uint32_t *mask, *end; /* words to go */
    uint32_t *seen;             /* what they were when the sums were made */
    uint16_t listed[DCP_ROWS_LISTED];
} dcp_flips;

static inline void dcp_flips_start(dcp_flips *flips, const dcp_probes *probes, const uint32_t *mask,
                                   uint32_t *seen) {
#if DCP_ARM
    flips->table = (uintptr_t)probes->row - 16 * (uintptr_t)(mask + 1);
    flips->top = 0x80000000u;
    flips->used = (uintptr_t)probes->used - (uintptr_t)(mask + 1);
#else
    flips->row = probes->row;
    flips->used = probes->used;
#endif
    flips->mask = mask;
    flips->end = mask + probes->words;
    flips->seen = seen;
}

#if DCP_ARM
/* Passes over words of masks and of what was seen, four at a time, while they are the same and
 * `mask` is not above `last`. On to 7 behind the first that differs, or through the end. */
#if DCP_HELIUM
#define DCP_SKIP_EQUAL                                                                             \
    "vmrs r12, p0\n\t" /* which no compiler lets a statement claim */                              \
    "b 2f\n"                                                                                       \
    "1: vldrw.u32 q0, [%[mask]], #16\n\t"                                                          \
    "vldrw.u32 q1, [%[seen]], #16\n\t"                                                             \
    "vcmp.i32 ne, q0, q1\n\t"                                                                      \
    "vmrs r4, p0\n\t"                                                                              \
    "cbnz r4, 3f\n"                                                                                \
    "2: cmp %[mask], %[last]\n\t"                                                                  \
    "bls 1b\n\t"                                                                                   \
    "b 6f\n"                                                                                       \
    "3: rbit r4, r4\n\t" /* four bits a word */                                                    \
    "clz r4, r4\n\t"                                                                               \
    "sub r4, r4, #12\n\t"                                                                          \
    "add %[mask], %[mask], r4\n\t"                                                                 \
    "add %[seen], %[seen], r4\n\t"                                                                 \
    "b 7f\n"                                                                                       \
    "6:"
#define DCP_SKIPPED "\n\tvmsr p0, r12"
#define DCP_SKIP_CLOBBERS "q0", "q1",
#else
#define DCP_SKIP_EQUAL                                                                             \
    "b 2f\n"                                                                                       \
    "1: ldm %[mask]!, {r4, r5, r6, r8}\n\t"                                                        \
    "ldm %[seen]!, {r9, r10, r11, r12}\n\t"                                                        \
    "cmp r4, r9\n\t"                                                                               \
    "bne 3f\n\t"                                                                                   \
    "cmp r5, r10\n\t"                                                                              \
    "bne 4f\n\t"                                                                                   \
    "cmp r6, r11\n\t"                                                                              \
    "bne 5f\n\t"                                                                                   \
    "cmp r8, r12\n\t"                                                                              \
    "bne 7f\n"                                                                                     \
    "2: cmp %[mask], %[last]\n\t"                                                                  \
    "bls 1b\n\t"                                                                                   \
    "b 6f\n"                                                                                       \
    "3: sub %[mask], %[mask], #12\n\t"                                                             \
    "sub %[seen], %[seen], #12\n\t"                                                                \
    "b 7f\n"                                                                                       \
    "4: sub %[mask], %[mask], #8\n\t"                                                              \
    "sub %[seen], %[seen], #8\n\t"                                                                 \
    "b 7f\n"                                                                                       \
    "5: sub %[mask], %[mask], #4\n\t"                                                              \
    "sub %[seen], %[seen], #4\n\t"                                                                 \
    "b 7f\n"                                                                                       \
    "6:"
#define DCP_SKIPPED ""
#define DCP_SKIP_CLOBBERS
#endif

/* Of every one in `bits`, the highest first, stores the row, among those that r4 points to. */
#define DCP_LIST_BITS(label, bits, store)                                                          \
#label ": clz r9, " bits "\n\t"                                                                \
           "lsr lr, r5, r9\n\t"                                                                    \
           "ldrh r9, [r4, r9, lsl #1]\n\t"                                                         \
           "eors " bits ", " bits ", lr\n\t"                                                       \
           "strh r9, " store "\n\t"                                                                \
           "bne " #label "b\n"
#endif

/* Lists the rows of features that differ in words of masks and in what was seen, and makes that the
 * same, as long as the list has room for all bits of a word. */
DCP_KERNEL void dcp_list_flips(dcp_flips *flips) {
#if DCP_ARM
    flips->up = flips->listed;
    flips->down = flips->listed + DCP_ROWS_LISTED;
    const uint32_t *mask = flips->mask;
    uint32_t *seen = flips->seen;
    const uintptr_t last = (uintptr_t)flips->end - 16;
    /* From 7 on, `mask` and `seen` are behind a word that differs. Of its features, r11 has those
     * that went up and r10 those that went down; r4 is its part of the table; r6 and r8 are `up`
     * and `down`. */
    __asm__ volatile(DCP_SKIP_EQUAL /* then what four do not divide */
                     "sub r4, %[mask], %[last]\n\t"
                     "cmp r4, #16\n\t"
                     "beq 12f\n\t"
                     "ldr r4, [%[mask]], #4\n\t"
                     "ldr r5, [%[seen]], #4\n\t"
                     "cmp r4, r5\n\t"
                     "beq 6b\n"
                     "7: ldr lr, [%[mask], #-4]\n\t"
                     "ldr r10, [%[seen], #-4]\n\t"
                     "str lr, [%[seen], #-4]\n\t"
                     "ldr r9, [%[flips], #16]\n\t"
                     "ldm %[flips], {r4, r5, r6, r8}\n\t"
                     "ldr r9, [r9, %[mask]]\n\t"
                     "add r4, r4, %[mask], lsl #4\n\t"
                     "eor r10, r10, lr\n\t"
                     "and r10, r10, r9\n\t"
                     "ands r11, r10, lr\n\t"
                     "bic r10, r10, lr\n\t"
                     "beq 9f\n"
                     /**/ DCP_LIST_BITS(8, "r11", "[r6], #2") /**/
                     "9: cmp r10, #0\n\t"
                     "beq 11f\n"
                     /**/ DCP_LIST_BITS(10, "r10", "[r8, #-2]!") /**/
                     "11: strd r6, r8, [%[flips], #8]\n\t"
                     "sub r8, r8, r6\n\t"
                     "cmp r8, #64\n\t" /* bytes, of 32 rows */
                     "bhs 2b\n"
                     "12:" DCP_SKIPPED
                     : [mask] "+r"(mask), [seen] "+r"(seen)
                     : [last] "r"(last), [flips] "r"(flips)
                     : DCP_SKIP_CLOBBERS "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr",
                       "cc", "memory");
    flips->mask = mask;
    flips->seen = seen;
#else
    size_t up = 0, down = DCP_ROWS_LISTED;
    for (; flips->mask != flips->end && down - up >= 32;
         flips->mask++, flips->seen++, flips->used++, flips->row += 32) {
        const uint32_t word = *flips->mask, flipped = (word ^ *flips->seen) & *flips->used;
        *flips->seen = word;
        for (uint32_t bits = flipped & word; bits != 0; up++) {
            const uint32_t n = dcp_leading_zeros(bits);
            bits ^= 0x80000000u >> n;
            flips->listed[up] = flips->row[n];
        }
        for (uint32_t bits = flipped & ~word; bits != 0;) {
            const uint32_t n = dcp_leading_zeros(bits);
            bits ^= 0x80000000u >> n;
            down--;
            flips->listed[down] = flips->row[n];
        }
    }
    flips->up = flips->listed + up;
    flips->down = flips->listed + down;
#endif
}

#endif
