/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of dyncp_taps.h, made callable from Python: of DCP_TAPS taps, with their tables as
 * arguments, and past[DCP_PAST][rows]. */
#include "dyncp_taps.h"

static dcp_past past_in(int8_t *frames, size_t rows) {
    dcp_past past;
    for (size_t k = 0; k < DCP_PAST; k++) {
        past.frame[k] = frames + k * rows;
    }
    return past;
}

uint32_t convolve(const int8_t *w, const int32_t *b, const int32_t *m, size_t rows, int8_t *h,
                  int8_t *frames);
uint32_t convolve(const int8_t *w, const int32_t *b, const int32_t *m, size_t rows, int8_t *h,
                  int8_t *frames) {
    const dcp_layer layer = {w, b, m, rows, DCP_TAPS};
    const dcp_past past = past_in(frames, rows);
    return dcp_convolve(&layer, h, &past);
}

uint32_t convolve_gated(const int8_t *w, const int32_t *b, const int32_t *m, size_t rows,
                        const uint32_t *bits, int8_t *h, int8_t *frames);
uint32_t convolve_gated(const int8_t *w, const int32_t *b, const int32_t *m, size_t rows,
                        const uint32_t *bits, int8_t *h, int8_t *frames) {
    const dcp_layer layer = {w, b, m, rows, DCP_TAPS};
    const dcp_past past = past_in(frames, rows);
    return dcp_convolve_gated(&layer, bits, h, &past);
}
