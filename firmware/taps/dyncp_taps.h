/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolutions of other than three taps, whose kernels are those of dyncp_kernels.h: of
 * DCP_TAPS, 2 to 5, which the library defines first. Section 6 of docs/arithmetic.md, step 5.
 *
 * dcp_convolve takes h[rows] in place; dcp_convolve_gated leaves a pruned channel's, which is 0,
 * and does not read its weights. Both put h where its oldest past was. */
#ifndef DYNCP_TAPS_H
#define DYNCP_TAPS_H

#include "dyncp_kernels.h"

enum { DCP_PAST = DCP_TAPS - 1 };

/* h of the frames that the taps before the last one read, the oldest first. */
typedef struct {
    int8_t *frame[DCP_PAST];
} dcp_past;

/* Channel r. */
static inline int8_t dcp_convolve_one(const dcp_layer *layer, const int8_t *h, const dcp_past *past,
                                      size_t r) {
    const size_t tap = dcp_padded(layer->rows);
    const int8_t *w = layer->weight + r;
    int32_t products = w[DCP_PAST * tap] * h[r];
    for (size_t k = 0; k < DCP_PAST; k++) {
        products += w[k * tap] * past->frame[k][r];
    }
    const int32_t sum = dcp_wrap_add(products, layer->bias[r]); /* the history may be corrupted */
    past->frame[0][r] = h[r];
    return dcp_relu8(dcp_rmul(sum, layer->multiplier[r]));
}

#if DCP_HELIUM
#include "dyncp_taps_helium.h"
#elif DCP_DSP
#include "dyncp_taps_dsp.h"
#else
#include "dyncp_taps_portable.h"
#endif

#endif
