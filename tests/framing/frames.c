/* SPDX-License-Identifier: Apache-2.0 */
/* dyncp_frames.h with transforms of DCP_POINTS, as functions of words and pointers. */
#include "dyncp_frames.h"

void analysis(const uint32_t *sizes, const int16_t *window, const int32_t *twiddle,
              const int16_t *in, int16_t *history, int32_t *x);
void analysis(const uint32_t *sizes, const int16_t *window, const int32_t *twiddle,
              const int16_t *in, int16_t *history, int32_t *x) {
    const dcp_framing framing = {sizes[0], sizes[1], sizes[2]};
    static int32_t z[2 * DCP_POINTS];
    if (dcp_frame_analysis(&framing, window, twiddle, in, history, z, x) != 0u) {
        memset(x, 0, 2 * DCP_BINS * sizeof *x);
    }
}

void features(const uint64_t *thresholds, const uint8_t *starts, const int32_t *x, int8_t *y);
void features(const uint64_t *thresholds, const uint8_t *starts, const int32_t *x, int8_t *y) {
    dcp_features(thresholds, starts, x, y);
}

/* x is lost. */
void synthesis(const uint32_t *sizes, const int16_t *window, const int32_t *twiddle, int32_t *x,
               const uint16_t *mask, int32_t *overlap, int16_t *out);
void synthesis(const uint32_t *sizes, const int16_t *window, const int32_t *twiddle, int32_t *x,
               const uint16_t *mask, int32_t *overlap, int16_t *out) {
    const dcp_framing framing = {sizes[0], sizes[1], sizes[2]};
    static int32_t z[2 * DCP_POINTS];
    dcp_frame_synthesis(&framing, window, twiddle, NULL, x, mask, overlap, z, out);
}
