/* SPDX-License-Identifier: Apache-2.0 */
/* What one channel between 48 and 16 kHz keeps. Of dyncp_resample.h, for headers of programs. */
#ifndef DYNCP_RESAMPLER_H
#define DYNCP_RESAMPLER_H

#include <stdint.h>

#define DCP_TAPS 32 /* of each of three phases */

/* A ring holds each sample twice, DCP_TAPS apart, so that the last DCP_TAPS lie side by side. */
typedef struct {
    int64_t sum;                   /* of the phases so far */
    uint32_t phase, at;            /* of the next sample at 48 kHz; of the next one at 16 kHz */
    int16_t down[3][2 * DCP_TAPS]; /* samples at 48 kHz, a ring for each phase */
    int16_t up[2 * DCP_TAPS];      /* samples at 16 kHz */
} dcp_resampler;

#endif
