/* SPDX-License-Identifier: Apache-2.0 */
/* Section 6, block, step 6, gate site `hidden`, on Helium: every row is computed, but of its
 * columns only the active ones are read, by gathers. */
#ifndef DYNCP_HELIUM_COLUMNS_H
#define DYNCP_HELIUM_COLUMNS_H

#include "dyncp_helium_gated.h"

/* Of which columns rows take their weights: by turns a vector of numbers and one of activations. */
typedef struct {
    uint8_t vector[2 * DCP_LISTED + DCP_LANES];
    size_t left; /* columns behind the first vector's */
} dcp_columns;

/* The mask of a list's columns less those whose value is 0, as that of many an active channel is:
 * they add nothing. */
static inline void dcp_nonzero(const uint32_t *mask, const int8_t *h, size_t columns,
                               uint32_t *nonzero) {
    int8x16_t x;
    uint32_t bits, ones;
    __asm__ volatile("wlstp.8 lr, %[columns], 2f\n"
                     "1:\n\t"
                     "vldrb.8 %q[x], [%[h]], #16\n\t"
                     "ldrh %[bits], [%[mask]], #2\n\t"
                     "vcmp.i8 ne, %q[x], zr\n\t"
                     "vmrs %[ones], p0\n\t"
                     "and %[bits], %[bits], %[ones]\n\t"
                     "strh %[bits], [%[nonzero]], #2\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [h] "+r"(h), [mask] "+r"(mask), [nonzero] "+r"(nonzero), [x] "=&w"(x),
                       [bits] "=&r"(bits), [ones] "=&r"(ones)
                     : [columns] "r"(columns)
                     : "lr", "cc", "memory");
}

/* Lists those of `columns`, at most DCP_LISTED, that are active and not 0. Returns how many. */
static inline size_t dcp_columns_of(dcp_columns *c, const uint32_t *mask, size_t columns,
                                    const int8_t *h) {
    const size_t within = columns < DCP_LISTED ? columns : DCP_LISTED;
    uint32_t nonzero[DCP_LISTED / 32] = {0, 0, 0, 0};
    dcp_nonzero(mask, h, within, nonzero);
    /* From the second half the list spreads over both, and nowhere overtakes itself. */
    const uint8_t *list = c->vector + DCP_LISTED;
    uint8_t *to = c->vector;
    const size_t active = dcp_active(nonzero, within, c->vector + DCP_LISTED);
    int8x16_t at, x;
    __asm__ volatile("wls lr, %[vectors], 2f\n"
                     "1:\n\t"
                     "vldrb.8 %q[at], [%[list]], #16\n\t"
                     "vldrb.8 %q[x], [%[h], %q[at]]\n\t"
                     "vstrb.8 %q[at], [%[to]], #16\n\t"
                     "vstrb.8 %q[x], [%[to]], #16\n\t"
                     "le lr, 1b\n"
                     "2:"
                     : [list] "+r"(list), [to] "+r"(to), [at] "=&w"(at), [x] "=&w"(x)
                     : [vectors] "r"((active + DCP_LANES - 1) / DCP_LANES), [h] "r"(h)
                     : "lr", "cc", "memory");
    c->left = active > DCP_LANES ? active - DCP_LANES : 0;
    return active;
}

/* w[r] * x for four rows, or for the first of them: gathers take the place of loads. */
#define DCP_AT(v, r, at) "vldrb.u8 %q[" #v "], [%[w" #r "], %q[" #at "]]\n\t"
#define DCP_MUL(r, v) "vmladav.s8 %[s" #r "], %q[" #v "], %q[x0]\n\t"
#define DCP_MAC(r, v) "vmladava.s8 %[s" #r "], %q[" #v "], %q[x]\n\t"
#define DCP_ROWS4(mac, at)                                                                         \
    DCP_AT(a, 0, at)                                                                               \
    DCP_AT(b, 1, at) mac(0, a) DCP_AT(a, 2, at) mac(1, b) DCP_AT(b, 3, at) mac(2, a) mac(3, b)
#define DCP_LEFT(rows)                                                                             \
    "ldr lr, %[left]\n\t"                                                                          \
    "wlstp.8 lr, lr, 2f\n"                                                                         \
    "1:\n\t"                                                                                       \
    "vldrb.u8 %q[at], [%[next]], #16\n\t"                                                          \
    "vldrb.u8 %q[x], [%[next]], #16\n\t" rows "letp lr, 1b\n"                                      \
    "2:"

static inline void dcp_columns4(const dcp_columns *c, uint8x16_t at0, int8x16_t x0,
                                const int8_t *const w[4], int32_t sum[4]) {
    const uint8_t *next = c->vector + 2 * DCP_LANES;
    int8x16_t at, x, a, b;
    __asm__ volatile(
        DCP_ROWS4(DCP_MUL, at0) DCP_LEFT(DCP_ROWS4(DCP_MAC, at))
        : [s0] "=&Te"(sum[0]), [s1] "=&Te"(sum[1]), [s2] "=&Te"(sum[2]), [s3] "=&Te"(sum[3]),
          [next] "+r"(next), [at] "=&w"(at), [x] "=&w"(x), [a] "=&w"(a), [b] "=&w"(b)
        : [w0] "r"(w[0]), [w1] "r"(w[1]), [w2] "r"(w[2]), [w3] "r"(w[3]), [at0] "w"(at0),
          [x0] "w"(x0), [left] "m"(c->left)
        : "lr", "cc", "memory");
}

static inline int32_t dcp_columns1(const dcp_columns *c, uint8x16_t at0, int8x16_t x0,
                                   const int8_t *w) {
    const uint8_t *next = c->vector + 2 * DCP_LANES;
    int8x16_t at, x, a;
    int32_t sum;
    __asm__ volatile(
        DCP_AT(a, 0, at0) DCP_MUL(0, a) DCP_LEFT(DCP_AT(a, 0, at) DCP_MAC(0, a))
        : [s0] "=&Te"(sum), [next] "+r"(next), [at] "=&w"(at), [x] "=&w"(x), [a] "=&w"(a)
        : [w0] "r"(w), [at0] "w"(at0), [x0] "w"(x0), [left] "m"(c->left)
        : "lr", "cc", "memory");
    return sum;
}

#undef DCP_AT
#undef DCP_MUL
#undef DCP_MAC
#undef DCP_ROWS4
#undef DCP_LEFT

/* sum += the listed columns' product, for all rows. */
static inline void dcp_add_columns(const dcp_layer *layer, size_t first, const dcp_columns *c,
                                   size_t active, int32_t *sum) {
    const mve_pred16_t within = vctp8q((uint32_t)active);
    const uint8x16_t at0 = vldrbq_u8(c->vector);
    const int8x16_t x0 = vldrbq_z_s8((const int8_t *)c->vector + DCP_LANES, within);
    const size_t row = dcp_padded(layer->columns);
    const int8_t *const weight = layer->weight + first;
    const int8_t *w[4] = {weight, weight + row, weight + 2 * row, weight + 3 * row};
    const int32_t *const end = sum + layer->rows / 4 * 4;
    for (; sum != end; sum += 4) {
        int32_t s[4];
        dcp_columns4(c, at0, x0, w, s);
        dcp_advance(w, 4 * row);
        vstrwq_s32(sum, vaddq_s32(vldrwq_s32(sum), dcp_vector(s)));
    }
    size_t single = layer->rows % 4;
    __asm__("" : "+r"(single)); /* or gcc writes out all three */
    for (; single > 0; single--) {
        *sum++ += dcp_columns1(c, at0, x0, w[0]);
        w[0] += row;
    }
}

/* residual += rmul(sum, multiplier), saturated. */
static inline void dcp_add_scaled(const int32_t *sum, const int32_t *multiplier, int16_t *residual,
                                  size_t count) {
    int32x4_t v, m;
    __asm__ volatile("wlstp.32 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrw.32 %q[v], [%[sum]], #16\n\t"
                     "vldrw.32 %q[m], [%[multiplier]], #16\n\t"
                     "vqrdmulh.s32 %q[v], %q[v], %q[m]\n\t"
                     "vldrh.s32 %q[m], [%[residual]]\n\t"
                     "vadd.i32 %q[v], %q[v], %q[m]\n\t"
                     "vqmovnb.s32 %q[v], %q[v]\n\t"
                     "vstrh.32 %q[v], [%[residual]], #8\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [sum] "+r"(sum), [multiplier] "+r"(multiplier), [residual] "+l"(residual),
                       [v] "=&w"(v), [m] "=&w"(m)
                     : [count] "r"(count)
                     : "lr", "cc", "memory");
}

/* Adds the active columns' product to the residual stream; those whose value is 0 are not read. */
DCP_KERNEL uint32_t dcp_project_columns(const dcp_layer *layer, const uint32_t *mask,
                                        const int8_t *h, int32_t *sum, int16_t *residual) {
    dcp_zero((int8_t *)sum, layer->rows * sizeof *sum);
    for (size_t first = 0; first < layer->columns; first += DCP_LISTED) {
        dcp_columns c;
        const size_t active =
            dcp_columns_of(&c, mask + first / 32, layer->columns - first, h + first);
        if (active > 0) {
            dcp_add_columns(layer, first, &c, active, sum);
        }
    }
    dcp_add_scaled(sum, layer->multiplier, residual, layer->rows);
    return dcp_count(mask, (layer->columns + 31) / 32) * (uint32_t)layer->rows;
}

#endif
