/* SPDX-License-Identifier: Apache-2.0 */
/* Part of dyncp_taps.h, which includes it: in plain C99. */
#ifndef DYNCP_TAPS_PORTABLE_H
#define DYNCP_TAPS_PORTABLE_H

DCP_KERNEL uint32_t dcp_convolve(const dcp_layer *layer, int8_t *h, const dcp_past *past) {
    const dcp_layer own = *layer; /* what is written cannot alias it */
    dcp_past before;
    before = *past;
    for (size_t r = 0; r < own.rows; r++) {
        h[r] = dcp_convolve_one(&own, h, &before, r);
    }
    return DCP_TAPS * (uint32_t)own.rows;
}

DCP_KERNEL uint32_t dcp_convolve_gated(const dcp_layer *layer, const uint32_t *mask, int8_t *h,
                                       const dcp_past *past) {
    const dcp_layer own = *layer;
    dcp_past before;
    before = *past;
    uint32_t macs = 0;
    for (size_t r = 0; r < own.rows; r++) {
        if (dcp_is_active(mask, r) != 0) {
            h[r] = dcp_convolve_one(&own, h, &before, r);
            macs += DCP_TAPS;
        } else {
            before.frame[0][r] = 0;
        }
    }
    return macs;
}

#endif
