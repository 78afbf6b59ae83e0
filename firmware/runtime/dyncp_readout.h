/* SPDX-License-Identifier: Apache-2.0 */
/* The probes: weighted sums of mask bits. Section numbers refer to docs/arithmetic.md. */
#ifndef DYNCP_READOUT_H
#define DYNCP_READOUT_H

#include "dyncp_rows.h"

/* ---- The update ---- */

typedef void dcp_adder(const dcp_flips *flips, const void *weight, int32_t *sum, size_t outputs);

/* Brings sum[outputs], which accounts for the masks `seen`, up to date with `masks`: from frame to
 * frame, few words change, and few of their bits. */
static inline void dcp_update(const dcp_probes *probes, dcp_adder add, const uint32_t *masks,
                              uint32_t *seen, int32_t *sum) {
    dcp_flips flips;
    dcp_flips_start(&flips, probes, masks, seen);
    do {
        dcp_list_flips(&flips);
        if (flips.up != flips.listed || flips.down != flips.listed + DCP_ROWS_LISTED) {
            add(&flips, probes->weight, sum, probes->outputs);
        }
    } while (flips.mask != flips.end);
}

static inline void dcp_probe8(const dcp_probes *probes, const uint32_t *masks, uint32_t *seen,
                              int32_t *sum) {
    dcp_update(probes, dcp_add_rows8, masks, seen, sum);
}

static inline void dcp_probe16(const dcp_probes *probes, const uint32_t *masks, uint32_t *seen,
                               int32_t *sum) {
    dcp_update(probes, dcp_add_rows16, masks, seen, sum);
}

/* ---- Smoothing ---- */

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
    size_t o = 0;
#if DCP_HELIUM
    for (; o + 4 <= count; o += 4) {
        const int32x4_t old = vld1q_s32(average + o);
        const int32x4_t step = vsubq_s32(vshlq_n_s32(vld1q_s32(word + o), 8), old);
        const int32x4_t now = vaddq_s32(old, vshlq_r_s32(step, -shift));
        vst1q_s32(average + o, now);
        vst1q_s32(signal + o, vrshrq_n_s32(now, 8));
    }
#endif
    for (; o < count; o++) {
        const int32_t difference = dcp_wrap_subtract(dcp_wrap_256(word[o]), average[o]);
        average[o] = dcp_wrap_add(average[o], difference >> shift);
        signal[o] = dcp_wrap_add(average[o], 128) >> 8;
    }
}

#endif
