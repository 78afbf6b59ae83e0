/* SPDX-License-Identifier: Apache-2.0 */
/* Part of dyncp_taps.h, which includes it: eight channels at a time, neighbours or from a list. */
#ifndef DYNCP_TAPS_HELIUM_H
#define DYNCP_TAPS_HELIUM_H

/* Of the even and of the odd ones of eight channels. */
typedef struct {
    int32x4_t even, odd;
} dcp_eight;

/* Those at x or, of a list, where `at` says. `listed` is a constant. */
static inline int16x8_t dcp_load_eight(const int8_t *x, int listed, uint16x8_t at) {
    return listed != 0 ? vldrbq_gather_offset_s16(x, at) : vldrbq_s16(x);
}

static inline dcp_eight dcp_constants(const int32_t *x, int listed, uint16x8_t at) {
    dcp_eight values;
    if (listed != 0) {
        values.even = vldrwq_gather_shifted_offset_s32(x, vmovlbq_u16(at));
        values.odd = vldrwq_gather_shifted_offset_s32(x, vmovltq_u16(at));
    } else {
        const int32x4x2_t pairs = vld2q_s32(x);
        values.even = pairs.val[0];
        values.odd = pairs.val[1];
    }
    return values;
}

/* Channels from r on. Activations are within 0 to 127, so that two products sum to at most
 * 2 * 127 * 128 in magnitude: they fit int16. */
static inline void dcp_convolve_eight(const dcp_layer *layer, int listed, uint16x8_t at, size_t r,
                                      int8_t *h, const dcp_past *past) {
    const size_t tap = dcp_padded(layer->rows);
    const int16x8_t last = dcp_load_eight(h + r, listed, at);
    dcp_eight sum = dcp_constants(layer->bias + r, listed, at);
    for (size_t k = 0; k < DCP_TAPS; k += 2) {
        const int8_t *w = layer->weight + (k * tap) + r;
        int16x8_t x = last;
        if (k < DCP_PAST) {
            x = dcp_load_eight(past->frame[k] + r, listed, at);
        }
        int16x8_t products = vmulq_s16(dcp_load_eight(w, listed, at), x);
        if (k < DCP_PAST) {
            x = last;
            if (k + 1 < DCP_PAST) {
                x = dcp_load_eight(past->frame[k + 1] + r, listed, at);
            }
            products = vaddq_s16(products, vmulq_s16(dcp_load_eight(w + tap, listed, at), x));
        }
        sum.even = vaddq_s32(sum.even, vmovlbq_s16(products));
        sum.odd = vaddq_s32(sum.odd, vmovltq_s16(products));
    }
    const dcp_eight m = dcp_constants(layer->multiplier + r, listed, at);
    uint16x8_t y = vqmovunbq_s32(vdupq_n_u16(0), vqrdmulhq_s32(sum.even, m.even));
    y = vminq_u16(vqmovuntq_s32(y, vqrdmulhq_s32(sum.odd, m.odd)), vdupq_n_u16(127));
    if (listed != 0) {
        vstrbq_scatter_offset_s16(past->frame[0] + r, at, last);
        vstrbq_scatter_offset_u16((uint8_t *)h + r, at, y);
    } else {
        vstrbq_s16(past->frame[0] + r, last);
        vstrbq_u16((uint8_t *)h + r, y);
    }
}

DCP_KERNEL uint32_t dcp_convolve(const dcp_layer *layer, int8_t *h, const dcp_past *past) {
    const dcp_layer own = *layer; /* what is written cannot alias it */
    dcp_past before;
    before = *past;
    const uint16x8_t none = vdupq_n_u16(0);
    size_t r = 0;
    for (; r + 8 <= own.rows; r += 8) {
        dcp_convolve_eight(&own, 0, none, r, h, &before);
    }
    for (; r < own.rows; r++) {
        h[r] = dcp_convolve_one(&own, h, &before, r);
    }
    return DCP_TAPS * (uint32_t)own.rows;
}

/* As dcp_depthwise_gated: by lists of active channels. */
DCP_KERNEL uint32_t dcp_convolve_gated(const dcp_layer *layer, const uint32_t *mask, int8_t *h,
                                       const dcp_past *past) {
    const dcp_layer own = *layer;
    dcp_past before;
    before = *past;
    uint32_t macs = 0;
    for (size_t first = 0; first < own.rows; first += DCP_LISTED) {
        uint8_t list[DCP_LIST];
        const size_t active = dcp_active(mask + first / 32, own.rows - first, list);
        for (size_t n = 0; n < active; n += 8) {
            dcp_convolve_eight(&own, 1, vldrbq_u16(list + n), first, h, &before);
        }
        macs += DCP_TAPS * (uint32_t)active;
    }
    dcp_clear_pruned(mask, before.frame[0], own.rows);
    return macs;
}

#endif
