/* SPDX-License-Identifier: Apache-2.0 */
/* From 48 kHz to 16 and back. Section numbers refer to docs/arithmetic.md. */
#ifndef DYNCP_RESAMPLE_H
#define DYNCP_RESAMPLE_H

#include <string.h>

#include "dyncp_resampler.h"
#include "dyncp_runtime.h"

/* Section 12: every third coefficient of the low-pass filter, 3 h in Q15, from its third to its
 * first on: as they meet samples that lie oldest first. From dyncp.export.transforms.resampling. */
static const int16_t dcp_lowpass[3][DCP_TAPS] = {
    {7,    10,    -42,  68,    -130, 203,   -312,  445,  -617, 826, -1085,
     1406, -1830, 2450, -3586, 7119, 30369, -3451, 1340, -562, 175, 34,
     -145, 193,   -205, 189,   -165, 127,   -99,   60,   -47,  22},
    {17,   -20,   4,    0,     -36,   83,    -171,  296,  -481,  739,  -1104,
     1624, -2412, 3750, -6698, 20792, 20792, -6698, 3750, -2412, 1624, -1104,
     739,  -481,  296,  -171,  83,    -36,   0,     4,    -20,   17},
    {22,  -47,  60,   -99,   127,   -165, 189,   -205, 193,   -145, 34,
     175, -562, 1340, -3451, 30369, 7119, -3586, 2450, -1830, 1406, -1085,
     826, -617, 445,  -312,  203,   -130, 68,    -42,  10,    7},
};

/* The last samples of a ring that has its newest one at `at`, oldest first. */
static inline const int16_t *dcp_window_of(const int16_t *ring, uint32_t at) {
    return ring + at % DCP_TAPS + 1;
}

static inline void dcp_push(int16_t *ring, uint32_t at, int16_t sample) {
    ring[at % DCP_TAPS] = ring[at % DCP_TAPS + DCP_TAPS] = sample;
}

/* Sum of DCP_TAPS products. Those of half the taps fit 32 bits, for the coefficients of each half
 * sum up to less than 2^16 in magnitude. */
static inline int64_t dcp_filtered(const int16_t *c, const int16_t *x) {
#if DCP_SIMD
    int64_t sum = 0;
    for (size_t k = 0; k < DCP_TAPS; k += 2) {
        uint32_t two, pair;
        memcpy(&two, c + k, sizeof two);
        memcpy(&pair, x + k, sizeof pair);
        __asm__("smlald %Q0, %R0, %1, %2" : "+r"(sum) : "r"(two), "r"(pair));
    }
    return sum;
#else
    int32_t first = 0, second = 0;
    for (size_t k = 0; k < DCP_TAPS / 2; k++) {
        first += c[k] * x[k];
        second += c[k + DCP_TAPS / 2] * x[k + DCP_TAPS / 2];
    }
    return (int64_t)first + second;
#endif
}

/* Takes a sample at 48 kHz. Returns whether it completes three of them: then `low` is the next
 * sample at 16 kHz. */
static inline int dcp_down(dcp_resampler *r, int16_t sample, int16_t *low) {
    const uint32_t phase = r->phase % 3;
    dcp_push(r->down[phase], r->at, sample);
    const int64_t sum = dcp_filtered(dcp_lowpass[phase], dcp_window_of(r->down[phase], r->at));
    r->sum = (int64_t)((uint64_t)r->sum + (uint64_t)sum); /* it may have been corrupted */
    r->phase = (phase + 1) % 3;
    if (phase < 2) {
        return 0;
    }
    *low = dcp_sat16(dcp_rmul((int32_t)(r->sum >> 2), 87385));
    r->sum = 0;
    return 1;
}

/* The next sample at 48 kHz; `low` is the next one at 16 kHz where dcp_down returned 1. */
static inline int32_t dcp_up(dcp_resampler *r, int complete, int16_t low) {
    if (complete) {
        dcp_push(r->up, r->at, low);
        r->at = (r->at + 1) % DCP_TAPS;
    }
    /* Phases 0, 1 and 2 follow the sample that completed three. */
    const uint32_t newest = r->at + DCP_TAPS - 1, phase = r->phase % 3;
    return (int32_t)((dcp_filtered(dcp_lowpass[2 - phase], dcp_window_of(r->up, newest)) + 16384) >>
                     15);
}

#endif
