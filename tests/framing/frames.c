/* SPDX-License-Identifier: Apache-2.0 */
/* dyncp_frames.h as functions of words and pointers. */
#include "dyncp_frames.h"

void analysis(const uint32_t *sizes, const int16_t *window, const int32_t *twiddle,
              const int16_t *in, int16_t *history, int32_t *x);
void analysis(const uint32_t *sizes, const int16_t *window, const int32_t *twiddle,
              const int16_t *in, int16_t *history, int32_t *x) {
    const dcp_framing framing = {sizes[0], sizes[1], sizes[2], sizes[3]};
    if (dcp_frame_analysis(&framing, window, twiddle, in, history, x) != 0u) {
        memset(x, 0, (sizes[1] + 2) * sizeof *x);
    }
}

void features(const uint64_t *thresholds, const uint8_t *starts, size_t bins, const int32_t *x,
              int8_t *y);
void features(const uint64_t *thresholds, const uint8_t *starts, size_t bins, const int32_t *x,
              int8_t *y) {
    dcp_frame_features(thresholds, starts, bins, x, y);
}

/* x is lost. */
void synthesis(const uint32_t *sizes, const int16_t *window, const int32_t *twiddle, int32_t *x,
               const uint16_t *mask, int32_t *overlap, int16_t *out);
void synthesis(const uint32_t *sizes, const int16_t *window, const int32_t *twiddle, int32_t *x,
               const uint16_t *mask, int32_t *overlap, int16_t *out) {
    const dcp_framing framing = {sizes[0], sizes[1], sizes[2], sizes[3]};
    int32_t z[1024];
    dcp_frame_synthesis(&framing, window, twiddle, NULL, x, mask, overlap, z, out);
}
