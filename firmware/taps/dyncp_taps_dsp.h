/* SPDX-License-Identifier: Apache-2.0 */
/* Part of dyncp_taps.h, which includes it: four neighbouring channels in a word. */
#ifndef DYNCP_TAPS_DSP_H
#define DYNCP_TAPS_DSP_H

/* One tap of four channels: weights and inputs are the bytes of words. */
static inline void dcp_tap_of_four(const int8_t *w, uint32_t inputs, uint32_t sum[4]) {
    const uint32_t weights = dcp_load32(w);
    const uint32_t we = dcp_even(weights), wo = dcp_odd(weights);
    const uint32_t xe = dcp_even(inputs), xo = dcp_odd(inputs);
    sum[0] = dcp_mac_low(we, xe, sum[0]);
    sum[1] = dcp_mac_low(wo, xo, sum[1]);
    sum[2] = dcp_mac_high(we, xe, sum[2]);
    sum[3] = dcp_mac_high(wo, xo, sum[3]);
}

/* Channels r to r + 3. */
static inline void dcp_convolve_four(const dcp_layer *layer, int8_t *h, const dcp_past *past,
                                     size_t r) {
    const size_t tap = dcp_padded(layer->rows);
    const int8_t *w = layer->weight + r;
    const int32_t *m = layer->multiplier + r;
    int8_t *oldest = past->frame[0] + r;
    const uint32_t last = dcp_load32(h + r);
    uint32_t sum[4], y[4];
    (void)memcpy(sum, layer->bias + r, sizeof sum);
    for (size_t k = 0; k < DCP_PAST; k++) {
        dcp_tap_of_four(w + (k * tap), dcp_load32(past->frame[k] + r), sum);
    }
    dcp_tap_of_four(w + (DCP_PAST * tap), last, sum);
    dcp_store32(oldest, last);
    for (size_t n = 0; n < 4; n++) {
        y[n] = (uint32_t)dcp_relu8(dcp_rmul((int32_t)sum[n], m[n]));
    }
    dcp_store32(h + r, dcp_bytes(y[0], y[1], y[2], y[3]));
}

DCP_KERNEL uint32_t dcp_convolve(const dcp_layer *layer, int8_t *h, const dcp_past *past) {
    const dcp_layer own = *layer; /* what is written cannot alias it */
    dcp_past before;
    before = *past;
    size_t r = 0;
    for (; r + 4 <= own.rows; r += 4) {
        dcp_convolve_four(&own, h, &before, r);
    }
    for (; r < own.rows; r++) {
        h[r] = dcp_convolve_one(&own, h, &before, r);
    }
    return DCP_TAPS * (uint32_t)own.rows;
}

/* As dcp_depthwise_gated: by words of the mask. */
DCP_KERNEL uint32_t dcp_convolve_gated(const dcp_layer *layer, const uint32_t *mask, int8_t *h,
                                       const dcp_past *past) {
    const dcp_layer own = *layer;
    dcp_past before;
    before = *past;
    uint32_t active = 0;
    for (size_t base = 0; base < own.rows; base += 32) {
        uint32_t bits = mask[base / 32];
        active += dcp_popcount(bits);
        if (bits == 0xffffffffu) {
            for (size_t n = 0; n < 32; n += 4) {
                dcp_convolve_four(&own, h, &before, base + n);
            }
            continue;
        }
        const size_t rest = own.rows - base;
        dcp_clear_pruned(bits, before.frame[0] + base, rest < 32 ? rest : 32);
        for (; bits != 0; bits &= bits - 1) {
            const size_t r = base + dcp_lowest(bits);
            h[r] = dcp_convolve_one(&own, h, &before, r);
        }
    }
    return DCP_TAPS * active;
}

#endif
