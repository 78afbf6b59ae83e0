/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of which masks switch channels off, on Helium: active channels are listed, then taken by
 * fours or eights, wherever they lie. What is pruned is not read. */
#ifndef DYNCP_HELIUM_GATED_H
#define DYNCP_HELIUM_GATED_H

#include "dyncp_helium_dense.h"

/* gcc 12 has no name for the predicate that assembly here changes: none of its own may be in use
 * around dcp_clear_pruned; over the call of dcp_active it keeps none. */

/* ---- Active channels by number ---- */

/* A list takes the bits of 16 bytes; behind the last number come copies of it, to fill a vector. */
enum { DCP_LISTED = 128, DCP_LIST = DCP_LISTED + DCP_LANES };
typedef char dcp_list_fits_work_space[4 * DCP_WORK(1) >= DCP_LIST ? 1 : -1];

/* How many of four bits are 1. */
static const uint8_t dcp_ones[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};

/* Lists which of `channels`, or of the first DCP_LISTED of them, are active, in order. Returns how
 * many. Bits behind the last channel are 0.
 *
 * Lane i has the bits of channels 8 i to 8 i + 7. Ones up to there are the place behind its last
 * channel: counted by halves of bytes, summed within words by a multiplication, then with the words
 * before. From the highest bit of each lane down, a 1 puts its number before those written. */
DCP_KERNEL size_t dcp_active(const uint32_t *mask, size_t channels, uint8_t list[DCP_LIST]) {
    uint32_t highest = 7, t0, t1, t2, active;
    uint8x16_t bits, place, number, v;
    __asm__ volatile("vctp.8 %[bytes]\n\t"
                     "vpst\n\t"
                     "vldrbt.u8 %q[bits], [%[mask]]\n\t"
                     "vshr.u8 %q[v], %q[bits], #4\n\t"
                     "vldrb.u8 %q[place], [%[ones], %q[v]]\n\t"
                     "vshl.i8 %q[v], %q[bits], #4\n\t"
                     "vshr.u8 %q[v], %q[v], #4\n\t"
                     "vldrb.u8 %q[number], [%[ones], %q[v]]\n\t"
                     "vadd.i8 %q[place], %q[place], %q[number]\n\t"
                     "vmul.i32 %q[place], %q[place], %[each]\n\t"
                     "vshr.u32 %q[v], %q[place], #24\n\t"
                     "vmov %[t0], %[t2], %q[v][2], %q[v][0]\n\t"
                     "vmov %[t1], %[active], %q[v][3], %q[v][1]\n\t"
                     "add %[t1], %[t1], %[t0]\n\t"
                     "add %[t2], %[t2], %[t1]\n\t"
                     "add %[active], %[active], %[t2]\n\t"
                     "vmov %q[v][2], %q[v][0], %[zero], %[t1]\n\t"
                     "vmov %q[v][3], %q[v][1], %[t0], %[t2]\n\t"
                     "vmla.u32 %q[place], %q[v], %[each]\n\t"
                     "vidup.u8 %q[number], %[highest], #8\n\t"
                     ".rept 8\n\t"
                     "vptt.s8 lt, %q[bits], zr\n\t"
                     "vsubt.i8 %q[place], %q[place], %[one]\n\t"
                     "vstrbt.8 %q[number], [%[list], %q[place]]\n\t"
                     "vshl.i8 %q[bits], %q[bits], #1\n\t"
                     "vsub.i8 %q[number], %q[number], %[one]\n\t"
                     ".endr"
                     : [highest] "+Te"(highest), [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2),
                       [active] "=&r"(active), [bits] "=&w"(bits), [place] "=&w"(place),
                       [number] "=&w"(number), [v] "=&w"(v)
                     : [bytes] "r"((channels + 7) / 8), [mask] "r"(mask), [list] "r"(list),
                       [ones] "r"(dcp_ones), [each] "r"(0x01010101), [zero] "r"(0), [one] "r"(1)
                     : "cc", "memory");
    if (active > 0) {
        vstrbq_u8(list + active, vdupq_n_u8(list[active - 1]));
    }
    return active;
}

/* ---- Section 6, ends: of listed rows only ---- */

/* Bytes of a row, address of the first: at hand in memory, as no register is left for them. */
typedef struct {
    uint32_t bytes, first;
} dcp_rows;

/* The rows of the four numbers at `list`. */
static inline void dcp_rows_at(const dcp_rows *rows, const uint8_t *list, const int8_t *w[4]) {
    uint32x4_t v = vldrbq_u32(list);
    __asm__ volatile(
        "ldrd %[w0], %[w1], %[rows]\n\t"
        "vmul.i32 %q[v], %q[v], %[w0]\n\t"
        "vadd.i32 %q[v], %q[v], %[w1]\n\t"
        "vmov %[w0], %[w2], %q[v][2], %q[v][0]\n\t"
        "vmov %[w1], %[w3], %q[v][3], %q[v][1]"
        : [v] "+w"(v), [w0] "=&r"(w[0]), [w1] "=&r"(w[1]), [w2] "=&r"(w[2]), [w3] "=&r"(w[3])
        : [rows] "m"(*rows));
}

/* Four sums to where four numbers say, in no more vector registers than three. */
#define DCP_SUMS                                                                                   \
    "vmov %q[v][2], %q[v][0], %[s0], %[s2]\n\t"                                                    \
    "vmov %q[v][3], %q[v][1], %[s1], %[s3]\n\t"
#define DCP_MULTIPLIER "vldrw.u32 %q[a], [%[multiplier], %q[at], uxtw #2]\n\t"

static inline void dcp_put_relu8(uint32x4_t at, const int32_t *bias, const int32_t *multiplier,
                                 const int32_t sum[4], int8_t *y) {
    int32x4_t a, v;
    __asm__ volatile("vldrw.u32 %q[a], [%[bias], %q[at], uxtw #2]\n\t" DCP_SUMS
                     "vadd.i32 %q[v], %q[v], %q[a]\n\t" DCP_MULTIPLIER
                     "vqrdmulh.s32 %q[v], %q[v], %q[a]\n\t"
                     "vqshlu.s32 %q[v], %q[v], #25\n\t"
                     "vshr.u32 %q[v], %q[v], #25\n\t"
                     "vstrb.32 %q[v], [%[y], %q[at]]"
                     : [a] "=&w"(a), [v] "=&w"(v)
                     : [at] "w"(at), [s0] "r"(sum[0]), [s1] "r"(sum[1]), [s2] "r"(sum[2]),
                       [s3] "r"(sum[3]), [bias] "r"(bias), [multiplier] "r"(multiplier), [y] "r"(y)
                     : "memory");
}

static inline void dcp_put_residual(uint32x4_t at, const int32_t *multiplier, const int32_t sum[4],
                                    int16_t *y) {
    int32x4_t a, v;
    __asm__ volatile(DCP_MULTIPLIER DCP_SUMS "vqrdmulh.s32 %q[v], %q[v], %q[a]\n\t"
                                             "vldrh.s32 %q[a], [%[y], %q[at], uxtw #1]\n\t"
                                             "vadd.i32 %q[v], %q[v], %q[a]\n\t"
                                             "vqmovnb.s32 %q[v], %q[v]\n\t"
                                             "vstrh.32 %q[v], [%[y], %q[at], uxtw #1]"
                     : [a] "=&w"(a), [v] "=&w"(v)
                     : [at] "w"(at), [s0] "r"(sum[0]), [s1] "r"(sum[1]), [s2] "r"(sum[2]),
                       [s3] "r"(sum[3]), [multiplier] "r"(multiplier), [y] "r"(y)
                     : "memory");
}

#undef DCP_SUMS
#undef DCP_MULTIPLIER

/* Rows by fours, wherever they lie, numbered from the `first` of the layer on. `kind` is DCP_RELU8
 * or DCP_RESIDUAL; it and `keep` are constants. */
DCP_IN_CODE static inline void dcp_listed4(const dcp_layer *layer, size_t first,
                                           const uint8_t *list, size_t active, const int8_t *x,
                                           dcp_result kind, void *y, size_t keep) {
    /* Hidden, or gcc keeps an address of each vector of it in memory from list to list. */
    __asm__ volatile("" : "+r"(x));
    DCP_KEEP(x, layer, keep);
    const size_t row = dcp_padded(layer->columns);
    const dcp_rows rows = {(uint32_t)row, (uint32_t)(uintptr_t)(layer->weight + first * row)};
    const int32_t *const multiplier = layer->multiplier + first;
    const int32_t *const bias = kind == DCP_RELU8 ? layer->bias + first : NULL;
    for (const uint8_t *end = list + active; list < end; list += 4) {
        const int8_t *w[4];
        dcp_rows_at(&rows, list, w);
        const int8_t *next = rest;
        if (keep == DCP_KEPT) {
            /* The last is not kept after all: its register is needed below. */
            next -= DCP_LANES;
            __asm__ volatile("" : "+r"(next));
            kept[DCP_KEPT - 1] = vld1q_s8(next);
            next += DCP_LANES;
        }
        int32_t sum[4];
        dcp_dot4(kept, keep, 1, next, &left, w, sum);
        const uint32x4_t at = vldrbq_u32(list);
        if (kind == DCP_RELU8) {
            dcp_put_relu8(at, bias, multiplier, sum, (int8_t *)y + first);
        } else {
            dcp_put_residual(at, multiplier, sum, (int16_t *)y + first);
        }
    }
}

static inline uint32_t dcp_lists(const dcp_layer *layer, const uint32_t *mask, const int8_t *x,
                                 uint8_t *list, dcp_result kind, void *y, size_t keep) {
    uint32_t macs = 0;
    for (size_t first = 0; first < layer->rows; first += DCP_LISTED) {
        const size_t active = dcp_active(mask + first / 32, layer->rows - first, list);
        dcp_listed4(layer, first, list, active, x, kind, y, keep);
        macs += (uint32_t)(active * layer->columns);
    }
    return macs;
}

static inline uint32_t dcp_active_rows(const dcp_layer *layer, const uint32_t *mask,
                                       const int8_t *x, uint32_t *work, dcp_result kind, void *y) {
    uint8_t *const list = (uint8_t *)work;
    if (dcp_can_keep(layer, DCP_KEPT)) {
        return dcp_lists(layer, mask, x, list, kind, y, DCP_KEPT);
    }
    if (dcp_can_keep(layer, DCP_KEPT / 2)) {
        return dcp_lists(layer, mask, x, list, kind, y, DCP_KEPT / 2);
    }
    return dcp_lists(layer, mask, x, list, kind, y, 0);
}

/* ---- Section 6, block, step 6, gate site `output` ---- */

/* Adds the active rows to the residual stream. */
DCP_KERNEL uint32_t dcp_project_rows(const dcp_layer *layer, const uint32_t *mask, const int8_t *h,
                                     uint32_t *work, int16_t *residual) {
    return dcp_active_rows(layer, mask, h, work, DCP_RESIDUAL, residual);
}

/* ---- Section 6, block, steps 4 to 6, gate site `hidden` ---- */

static inline void dcp_zero(int8_t *y, size_t count) {
    const int8x16_t zero = vdupq_n_s8(0);
    __asm__ volatile("wlstp.8 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vstrb.8 %q[zero], [%[y]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [y] "+r"(y)
                     : [count] "r"(count), [zero] "w"(zero)
                     : "lr", "cc", "memory");
}

DCP_KERNEL uint32_t dcp_expand_gated(const dcp_layer *layer, const uint32_t *mask, const int8_t *x,
                                     uint32_t *work, int8_t *y) {
    dcp_zero(y, layer->rows);
    return dcp_active_rows(layer, mask, x, work, DCP_RELU8, y);
}

/* dcp_taps8 for the channels of a list. */
static inline void dcp_taps8_at(const dcp_layer *layer, size_t first, const uint8_t *list,
                                size_t active, int8_t *h, int8_t *oldest, const int8_t *middle) {
    const size_t tap = dcp_padded(layer->rows), groups = (active + 7) / 8;
    const int8_t *const w0 = layer->weight + first, *const w1 = w0 + tap, *const w2 = w1 + tap;
    __asm__ volatile("vmov.i16 q6, #127\n\t"
                     "ldr lr, %[groups]\n\t"
                     "wls lr, lr, 2f\n"
                     "1:\n\t"
                     "vldrb.u16 q7, [%[list]], #8\n\t"
                     "vldrb.s16 q0, [%[oldest], q7]\n\t"
                     "vldrb.s16 q1, [%[w0], q7]\n\t"
                     "vmul.i16 q0, q0, q1\n\t"
                     "vldrb.s16 q1, [%[middle], q7]\n\t"
                     "vldrb.s16 q2, [%[w1], q7]\n\t"
                     "vmul.i16 q1, q1, q2\n\t"
                     "vldrb.s16 q2, [%[h], q7]\n\t"
                     "vadd.i16 q0, q0, q1\n\t"
                     "vldrb.s16 q1, [%[w2], q7]\n\t"
                     "vmullb.s16 q3, q1, q2\n\t"
                     "vstrb.16 q2, [%[oldest], q7]\n\t"
                     "vmullt.s16 q1, q1, q2\n\t"
                     "vmovlb.u16 q4, q7\n\t"
                     "vmovlb.s16 q2, q0\n\t"
                     "vmovlt.s16 q0, q0\n\t"
                     "vadd.i32 q3, q3, q2\n\t"
                     "vldrw.u32 q2, [%[bias], q4, uxtw #2]\n\t"
                     "vadd.i32 q1, q1, q0\n\t"
                     "vmovlt.u16 q5, q7\n\t"
                     "vadd.i32 q3, q3, q2\n\t"
                     "vldrw.u32 q0, [%[bias], q5, uxtw #2]\n\t"
                     "vadd.i32 q1, q1, q0\n\t"
                     "vldrw.u32 q2, [%[multiplier], q4, uxtw #2]\n\t"
                     "vqrdmulh.s32 q3, q3, q2\n\t"
                     "vldrw.u32 q0, [%[multiplier], q5, uxtw #2]\n\t"
                     "vqrdmulh.s32 q1, q1, q0\n\t"
                     "vqmovunb.s32 q0, q3\n\t"
                     "vqmovunt.s32 q0, q1\n\t"
                     "vmin.u16 q0, q0, q6\n\t"
                     "vstrb.16 q0, [%[h], q7]\n\t"
                     "le lr, 1b\n"
                     "2:"
                     : [list] "+l"(list)
                     : [w0] "r"(w0), [w1] "r"(w1), [w2] "r"(w2), [h] "r"(h + first),
                       [oldest] "r"(oldest + first), [middle] "r"(middle + first),
                       [bias] "r"(layer->bias + first), [multiplier] "r"(layer->multiplier + first),
                       [groups] "m"(groups)
                     : "lr", "cc", "memory", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7");
}

/* Writes 0 where a channel is pruned. */
static inline void dcp_clear_pruned(const uint32_t *mask, int8_t *y, size_t count) {
    const int8x16_t zero = vdupq_n_s8(0);
    uint32_t bits;
    __asm__ volatile("wlstp.8 lr, %[count], 2f\n"
                     "1:\n\t"
                     "ldrh %[bits], [%[mask]], #2\n\t"
                     "vmsr p0, %[bits]\n\t"
                     "vpnot\n\t"
                     "vpst\n\t"
                     "vstrbt.8 %q[zero], [%[y]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [y] "+r"(y), [mask] "+r"(mask), [bits] "=&r"(bits)
                     : [count] "r"(count), [zero] "w"(zero)
                     : "lr", "cc", "memory");
}

DCP_KERNEL uint32_t dcp_depthwise_gated(const dcp_layer *layer, const uint32_t *mask, int8_t *h,
                                        int8_t *oldest, const int8_t *middle) {
    uint32_t macs = 0;
    for (size_t first = 0; first < layer->rows; first += DCP_LISTED) {
        uint8_t list[DCP_LIST];
        const size_t active = dcp_active(mask + first / 32, layer->rows - first, list);
        dcp_taps8_at(layer, first, list, active, h, oldest, middle);
        macs += (uint32_t)(3 * active);
    }
    dcp_clear_pruned(mask, oldest, layer->rows);
    return macs;
}

#endif
