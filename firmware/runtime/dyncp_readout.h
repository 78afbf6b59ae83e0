/* SPDX-License-Identifier: Apache-2.0 */
/* The probes: weighted sums of mask bits. Section numbers refer to docs/arithmetic.md. */
#ifndef DYNCP_READOUT_H
#define DYNCP_READOUT_H

#include <string.h>

#include "dyncp_layers.h"

#if DCP_HELIUM
#include <arm_mve.h>
#endif

/* Section 9: a probe table. Mask word i has features at the bits of informative[i]. Counted from
 * the highest bit of a word down, bit n has the row row[32 i + n] of the weights. A row holds the
 * weights of all outputs, int8 or int16, padded to a multiple of 8. */
typedef struct {
    const uint32_t *informative; /* [words] */
    const uint16_t *row;         /* [32 words]; of no meaning where there is no feature */
    size_t words, outputs;
} dcp_probes;

/* Rows of weights to be added, those before `up`, and subtracted, those from `down` on. */
enum { DCP_ROWS_LISTED = 64 };
typedef struct {
    const void *row[DCP_ROWS_LISTED];
} dcp_row_list;

/* ---- Eight outputs, those from `from` on, of which sum[count] takes as many as there are ---- */

#if DCP_HELIUM

static inline void dcp_move(int32_t *sum, size_t count, int32x4_t by) {
    const mve_pred16_t some = vctp32q((uint32_t)count);
    vstrwq_p_s32(sum, vaddq_s32(vldrwq_z_s32(sum, some), by), some);
}

/* The sums of less than 256 rows of int8 fit 16 bits. */
static inline void dcp_add_rows8(const dcp_row_list *rows, size_t up, size_t down, size_t from,
                                 int32_t *sum, size_t count) {
    int16x8_t total = vdupq_n_s16(0);
    int16_t by[8];
    for (size_t n = 0; n < up; n++) {
        total = vaddq_s16(total, vldrbq_s16((const int8_t *)rows->row[n] + from));
    }
    for (size_t n = down; n < DCP_ROWS_LISTED; n++) {
        total = vsubq_s16(total, vldrbq_s16((const int8_t *)rows->row[n] + from));
    }
    vstrhq_s16(by, total);
    dcp_move(sum, count, vldrhq_s32(by));
    if (count > 4) {
        dcp_move(sum + 4, count - 4, vldrhq_s32(by + 4));
    }
}

static inline void dcp_add_rows16(const dcp_row_list *rows, size_t up, size_t down, size_t from,
                                  int32_t *sum, size_t count) {
    int32x4_t low = vdupq_n_s32(0), high = low;
    for (size_t n = 0; n < up; n++) {
        const int16_t *w = (const int16_t *)rows->row[n] + from;
        low = vaddq_s32(low, vldrhq_s32(w));
        high = vaddq_s32(high, vldrhq_s32(w + 4));
    }
    for (size_t n = down; n < DCP_ROWS_LISTED; n++) {
        const int16_t *w = (const int16_t *)rows->row[n] + from;
        low = vsubq_s32(low, vldrhq_s32(w));
        high = vsubq_s32(high, vldrhq_s32(w + 4));
    }
    dcp_move(sum, count, low);
    if (count > 4) {
        dcp_move(sum + 4, count - 4, high);
    }
}

#else

static inline int32_t dcp_weigh(const void *row, int wide, size_t o) {
    return wide ? ((const int16_t *)row)[o] : ((const int8_t *)row)[o];
}

static inline void dcp_add_rows(const dcp_row_list *rows, size_t up, size_t down, int wide,
                                size_t from, int32_t *sum, size_t count) {
    int32_t total[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (size_t n = 0; n < up; n++) {
        for (size_t o = 0; o < 8; o++) {
            total[o] += dcp_weigh(rows->row[n], wide, from + o);
        }
    }
    for (size_t n = down; n < DCP_ROWS_LISTED; n++) {
        for (size_t o = 0; o < 8; o++) {
            total[o] -= dcp_weigh(rows->row[n], wide, from + o);
        }
    }
    for (size_t o = 0; o < 8 && o < count; o++) {
        sum[o] += total[o];
    }
}

static inline void dcp_add_rows16(const dcp_row_list *rows, size_t up, size_t down, size_t from,
                                  int32_t *sum, size_t count) {
    dcp_add_rows(rows, up, down, 1, from, sum, count);
}

#if DCP_SIMD

/* Bytes 0 and 2 of b added to the halves of a; bytes 1 and 3; halves of a below 0. */
static inline uint32_t dcp_plus_even(uint32_t a, uint32_t b) {
    __asm__("sxtab16 %0, %0, %1" : "+r"(a) : "r"(b));
    return a;
}

static inline uint32_t dcp_plus_odd(uint32_t a, uint32_t b) {
    __asm__("sxtab16 %0, %0, %1, ror #8" : "+r"(a) : "r"(b));
    return a;
}

static inline uint32_t dcp_minus(uint32_t a) {
    __asm__("ssub16 %0, %1, %0" : "+r"(a) : "r"(0));
    return a;
}

/* Eight sums of 16 bits: those of `even` are 0, 2 and 4, 6. */
typedef struct {
    uint32_t even[2], odd[2];
} dcp_eight;

static inline dcp_eight dcp_plus_row(dcp_eight total, const int8_t *row) {
    for (size_t i = 0; i < 2; i++) {
        uint32_t four;
        memcpy(&four, row + 4 * i, sizeof four);
        total.even[i] = dcp_plus_even(total.even[i], four);
        total.odd[i] = dcp_plus_odd(total.odd[i], four);
    }
    return total;
}

static inline void dcp_move(int32_t *sum, size_t count, uint32_t even, uint32_t odd) {
    sum[0] += (int16_t)(even & 0xffffu);
    if (count > 1) {
        sum[1] += (int16_t)(odd & 0xffffu);
    }
    if (count > 2) {
        sum[2] += (int32_t)even >> 16;
    }
    if (count > 3) {
        sum[3] += (int32_t)odd >> 16;
    }
}

/* The sums of less than 256 rows fit 16 bits. */
static inline void dcp_add_rows8(const dcp_row_list *rows, size_t up, size_t down, size_t from,
                                 int32_t *sum, size_t count) {
    dcp_eight total = {{0, 0}, {0, 0}};
    for (size_t n = down; n < DCP_ROWS_LISTED; n++) {
        total = dcp_plus_row(total, (const int8_t *)rows->row[n] + from);
    }
    for (size_t i = 0; i < 2; i++) {
        total.even[i] = dcp_minus(total.even[i]);
        total.odd[i] = dcp_minus(total.odd[i]);
    }
    for (size_t n = 0; n < up; n++) {
        total = dcp_plus_row(total, (const int8_t *)rows->row[n] + from);
    }
    dcp_move(sum, count, total.even[0], total.odd[0]);
    if (count > 4) {
        dcp_move(sum + 4, count - 4, total.even[1], total.odd[1]);
    }
}

#else

static inline void dcp_add_rows8(const dcp_row_list *rows, size_t up, size_t down, size_t from,
                                 int32_t *sum, size_t count) {
    dcp_add_rows(rows, up, down, 0, from, sum, count);
}

#endif
#endif

/* ---- The update ---- */

typedef void (*dcp_adder)(const dcp_row_list *, size_t up, size_t down, size_t from, int32_t *sum,
                          size_t count);

static inline void dcp_add_all(dcp_adder add, const dcp_row_list *rows, size_t up, size_t down,
                               int32_t *sum, size_t outputs) {
    for (size_t from = 0; from < outputs; from += 8) {
        add(rows, up, down, from, sum + from, outputs - from);
    }
}

/* Brings sum[outputs], which accounts for the masks `seen`, up to date with `masks`: from frame to
 * frame, few words change, and few of their bits. */
static inline void dcp_update(const dcp_probes *probes, const void *weight, size_t width,
                              dcp_adder add, const uint32_t *masks, uint32_t *seen, int32_t *sum) {
    const size_t bytes = (probes->outputs + 7) / 8 * 8 * width;
    dcp_row_list rows;
    size_t up = 0, down = DCP_ROWS_LISTED;
    for (size_t i = 0; i < probes->words; i++) {
        const uint32_t word = masks[i], changed = word ^ seen[i];
        if (changed == 0) {
            continue;
        }
        seen[i] = word;
        for (uint32_t bits = changed & probes->informative[i]; bits != 0;) {
            const uint32_t n = dcp_leading_zeros(bits);
            const void *row = (const char *)weight + probes->row[32 * i + n] * bytes;
            if ((word << n & 0x80000000u) != 0) {
                rows.row[up++] = row;
            } else {
                rows.row[--down] = row;
            }
            bits &= ~(0x80000000u >> n);
        }
        if (down - up < 32) {
            dcp_add_all(add, &rows, up, down, sum, probes->outputs);
            up = 0;
            down = DCP_ROWS_LISTED;
        }
    }
    dcp_add_all(add, &rows, up, down, sum, probes->outputs);
}

static inline void dcp_probe8(const dcp_probes *probes, const int8_t *weight, const uint32_t *masks,
                              uint32_t *seen, int32_t *sum) {
    dcp_update(probes, weight, sizeof *weight, dcp_add_rows8, masks, seen, sum);
}

static inline void dcp_probe16(const dcp_probes *probes, const int16_t *weight,
                               const uint32_t *masks, uint32_t *seen, int32_t *sum) {
    dcp_update(probes, weight, sizeof *weight, dcp_add_rows16, masks, seen, sum);
}

/* ---- Smoothing and decisions ---- */

/* An average that stands at word[count]. */
static inline void dcp_smooth_start(const int32_t *word, int32_t *average, size_t count) {
    for (size_t o = 0; o < count; o++) {
        average[o] = 256 * word[o];
    }
}

/* Moves average[count], which has 8 more fraction bits than word[count], towards it by 2^-shift of
 * the difference; signal[count] is the average without these bits. */
static inline void dcp_smooth(int shift, const int32_t *word, int32_t *average, int32_t *signal,
                              size_t count) {
    for (size_t o = 0; o < count; o++) {
        average[o] += (256 * word[o] - average[o]) >> shift;
        signal[o] = (average[o] + 128) >> 8;
    }
}

/* The index of the first largest of word[count]. */
static inline uint8_t dcp_first_largest(const int32_t *word, size_t count) {
    size_t best = 0;
    for (size_t o = 1; o < count; o++) {
        if (word[o] > word[best]) {
            best = o;
        }
    }
    return (uint8_t)best;
}

#endif
