/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's static inline functions, made callable from Python: of layers, with their tables as
 * arguments. */
#include "dyncp_controls.h"
#include "dyncp_fft.h"
#include "dyncp_kernels.h"
#include "dyncp_masks.h"
#include "dyncp_readout.h"

#define LAYER const int8_t *w, const int32_t *b, const int32_t *m, size_t rows, size_t columns
#define MAKE_BARE_LAYER const dcp_layer layer = {w, b, m, rows, columns}
/* No layer of the tests is wider than 300 columns. Work space starts at any word. */
#define MAKE_LAYER                                                                                 \
    uint32_t space[DCP_WORK(300) + 3];                                                             \
    uint32_t *work = lend(space, columns);                                                         \
    MAKE_BARE_LAYER

enum { UNTOUCHED = 0x5a5a5a5a };

/* Work space at no better alignment than that of words, between two that stay as they are. */
static uint32_t *lend(uint32_t *space, size_t columns) {
    uint32_t *work = space + (((uintptr_t)space & 4) == 0 ? 1 : 2);
    work[-1] = UNTOUCHED;
    work[DCP_WORK(columns)] = UNTOUCHED;
    return work;
}

/* What a kernel returned, or a count that none returns if it left its work space. */
static uint32_t given_back(uint32_t macs, const uint32_t *work, size_t columns) {
    return work[-1] == UNTOUCHED && work[DCP_WORK(columns)] == UNTOUCHED ? macs : 0xffffffffu;
}

/* Whether dense layers on int8 have the other table of DCP_BIAS. */
uint32_t multiplies_in_pairs(void);
uint32_t multiplies_in_pairs(void) {
    return DCP_BIAS(0, 1);
}

/* Whether project_columns has the other table of DCP_COLUMNS. */
uint32_t gathers_columns(void);
uint32_t gathers_columns(void) {
    return DCP_COLUMNS(0, 1);
}

int32_t rmul(int32_t a, int32_t m);
int32_t rmul(int32_t a, int32_t m) {
    return dcp_rmul(a, m);
}

void saturate(int32_t v, int32_t *out);
void saturate(int32_t v, int32_t *out) {
    out[0] = dcp_sat8(v);
    out[1] = dcp_sat16(v);
    out[2] = dcp_relu8(v);
    out[3] = dcp_relu16(v);
}

uint32_t popcount(uint32_t v);
uint32_t popcount(uint32_t v) {
    return dcp_popcount(v);
}

void decisions(dcp_decision *decision, const int32_t *score, size_t frames, size_t count,
               uint32_t period, uint32_t *told);
void decisions(dcp_decision *decision, const int32_t *score, size_t frames, size_t count,
               uint32_t period, uint32_t *told) {
    for (size_t frame = 0; frame < frames; frame++) {
        if (frame % period != 0) {
            /* What was told holds. */
        } else if (count == 1) {
            dcp_decide(decision, score[frame], period);
        } else {
            dcp_choose(decision, score + frame * count, count, period);
        }
        told[frame] = decision->told;
    }
}

void fft256(const int32_t *twiddle, const int32_t *in, int32_t *z);
void fft256(const int32_t *twiddle, const int32_t *in, int32_t *z) {
    dcp_fft(twiddle, in, z);
}

void analysis(const int16_t *window, const int32_t *twiddle, const int16_t *in, int16_t *history,
              int32_t *x);
void analysis(const int16_t *window, const int32_t *twiddle, const int16_t *in, int16_t *history,
              int32_t *x) {
    if (dcp_analysis(window, twiddle, in, history, x) != 0u) {
        memset(x, 0, 2 * DCP_BINS * sizeof *x);
    }
}

void features(const uint64_t *thresholds, const uint8_t *starts, const int32_t *x, int8_t *y);
void features(const uint64_t *thresholds, const uint8_t *starts, const int32_t *x, int8_t *y) {
    dcp_features(thresholds, starts, x, y);
}

void band_features(const uint64_t *thresholds, const uint8_t *starts, const uint16_t *edges,
                   const uint32_t *reciprocals, size_t bands, const int32_t *x, int8_t *y);
void band_features(const uint64_t *thresholds, const uint8_t *starts, const uint16_t *edges,
                   const uint32_t *reciprocals, size_t bands, const int32_t *x, int8_t *y) {
    dcp_band_features(thresholds, starts, edges, reciprocals, bands, x, y);
}

void suppression(const uint16_t *sigmoid, const int16_t *logits, uint16_t *mask, size_t count);
void suppression(const uint16_t *sigmoid, const int16_t *logits, uint16_t *mask, size_t count) {
    dcp_suppression(sigmoid, logits, mask, count);
}

/* x is lost. */
void synthesis(const int16_t *window, const int32_t *twiddle, int32_t *x, const uint16_t *mask,
               int32_t *overlap, int16_t *out);
void synthesis(const int16_t *window, const int32_t *twiddle, int32_t *x, const uint16_t *mask,
               int32_t *overlap, int16_t *out) {
    int32_t z[2 * DCP_HOP];
    dcp_synthesis(window, twiddle, NULL, x, mask, overlap, z, out);
}

/* With a mask of bands. */
void band_synthesis(const int16_t *window, const int32_t *twiddle, const uint8_t *bands, int32_t *x,
                    const uint16_t *mask, int32_t *overlap, int16_t *out);
void band_synthesis(const int16_t *window, const int32_t *twiddle, const uint8_t *bands, int32_t *x,
                    const uint16_t *mask, int32_t *overlap, int16_t *out) {
    int32_t z[2 * DCP_HOP];
    dcp_synthesis(window, twiddle, bands, x, mask, overlap, z, out);
}

/* Of a spectrum that is 0. */
void silent_synthesis(int32_t *overlap, int16_t *out);
void silent_synthesis(int32_t *overlap, int16_t *out) {
    dcp_silent_synthesis(overlap, out);
}

uint32_t front(LAYER, const int8_t *x, int16_t *y);
uint32_t front(LAYER, const int8_t *x, int16_t *y) {
    MAKE_LAYER;
    return given_back(dcp_front(&layer, x, work, y), work, columns);
}

uint32_t back(LAYER, const int8_t *x, int16_t *y);
uint32_t back(LAYER, const int8_t *x, int16_t *y) {
    MAKE_LAYER;
    return given_back(dcp_back(&layer, x, work, y), work, columns);
}

uint32_t gate(LAYER, const int16_t *x, int16_t *y);
uint32_t gate(LAYER, const int16_t *x, int16_t *y) {
    MAKE_LAYER;
    return given_back(dcp_gate(&layer, x, work, y), work, columns);
}

uint32_t score(LAYER, const int16_t *x, int32_t *y);
uint32_t score(LAYER, const int16_t *x, int32_t *y) {
    MAKE_LAYER;
    return given_back(dcp_score(&layer, columns, x, work, y), work, columns);
}

uint32_t mask(const int32_t *scores, uint32_t *words, size_t count, uint32_t per_block,
              uint32_t left);
uint32_t mask(const int32_t *scores, uint32_t *words, size_t count, uint32_t per_block,
              uint32_t left) {
    return dcp_mask(scores, words, count, per_block, left);
}

void narrow(int32_t multiplier, const int16_t *x, int8_t *y, size_t count);
void narrow(int32_t multiplier, const int16_t *x, int8_t *y, size_t count) {
    dcp_narrow(multiplier, x, y, count);
}

void pool_window(const int8_t *x, int16_t *sum, int8_t *oldest, size_t count);
void pool_window(const int8_t *x, int16_t *sum, int8_t *oldest, size_t count) {
    dcp_pool_window(x, sum, oldest, count);
}

void pool_each(const int32_t *coefficient, const int16_t *x, int16_t *mean, size_t count);
void pool_each(const int32_t *coefficient, const int16_t *x, int16_t *mean, size_t count) {
    dcp_pool_each(coefficient, x, mean, count);
}

void pool_ema(int32_t coefficient, const int8_t *x, int16_t *mean, size_t count);
void pool_ema(int32_t coefficient, const int8_t *x, int16_t *mean, size_t count) {
    dcp_pool_ema(coefficient, x, mean, count);
}

uint32_t expand(LAYER, const int8_t *x, int8_t *y);
uint32_t expand(LAYER, const int8_t *x, int8_t *y) {
    MAKE_LAYER;
    return given_back(dcp_expand(&layer, x, work, y), work, columns);
}

uint32_t expand_gated(LAYER, const uint32_t *bits, const int8_t *x, int8_t *y);
uint32_t expand_gated(LAYER, const uint32_t *bits, const int8_t *x, int8_t *y) {
    MAKE_LAYER;
    return given_back(dcp_expand_gated(&layer, bits, x, work, y), work, columns);
}

uint32_t depthwise(LAYER, int8_t *h, int8_t *oldest, const int8_t *middle);
uint32_t depthwise(LAYER, int8_t *h, int8_t *oldest, const int8_t *middle) {
    MAKE_BARE_LAYER;
    return dcp_depthwise(&layer, h, oldest, middle);
}

uint32_t depthwise_gated(LAYER, const uint32_t *bits, int8_t *h, int8_t *oldest,
                         const int8_t *middle);
uint32_t depthwise_gated(LAYER, const uint32_t *bits, int8_t *h, int8_t *oldest,
                         const int8_t *middle) {
    MAKE_BARE_LAYER;
    return dcp_depthwise_gated(&layer, bits, h, oldest, middle);
}

uint32_t project_rows(LAYER, const uint32_t *bits, const int8_t *h, int16_t *residual);
uint32_t project_rows(LAYER, const uint32_t *bits, const int8_t *h, int16_t *residual) {
    MAKE_LAYER;
    return given_back(dcp_project_rows(&layer, bits, h, work, residual), work, columns);
}

uint32_t project_columns(LAYER, const uint32_t *bits, const int8_t *h, int32_t *sum,
                         int16_t *residual);
uint32_t project_columns(LAYER, const uint32_t *bits, const int8_t *h, int32_t *sum,
                         int16_t *residual) {
    MAKE_BARE_LAYER;
    return dcp_project_columns(&layer, bits, h, sum, residual);
}

void probe8(const uint16_t *row, const uint32_t *used, size_t words, size_t outputs,
            const int8_t *weight, const uint32_t *masks, uint32_t *seen, int32_t *sum);
void probe8(const uint16_t *row, const uint32_t *used, size_t words, size_t outputs,
            const int8_t *weight, const uint32_t *masks, uint32_t *seen, int32_t *sum) {
    const dcp_probes probes = {row, used, weight, words, outputs};
    dcp_probe8(&probes, masks, seen, sum);
}

void probe16(const uint16_t *row, const uint32_t *used, size_t words, size_t outputs,
             const int16_t *weight, const uint32_t *masks, uint32_t *seen, int32_t *sum);
void probe16(const uint16_t *row, const uint32_t *used, size_t words, size_t outputs,
             const int16_t *weight, const uint32_t *masks, uint32_t *seen, int32_t *sum) {
    const dcp_probes probes = {row, used, weight, words, outputs};
    dcp_probe16(&probes, masks, seen, sum);
}

/* `settings` are the words of dcp_controls. */
void shape(uint32_t *settings, uint16_t *mask, uint16_t *gain, size_t count);
void shape(uint32_t *settings, uint16_t *mask, uint16_t *gain, size_t count) {
    dcp_controls controls;
    memcpy(&controls, settings, sizeof controls);
    dcp_shape(&controls, mask, gain, count);
    memcpy(settings, &controls, sizeof controls);
}

void smooth_start(const int32_t *word, int32_t *average, size_t count);
void smooth_start(const int32_t *word, int32_t *average, size_t count) {
    dcp_smooth_start(word, average, count);
}

void smooth(int shift, const int32_t *word, int32_t *average, int32_t *signal, size_t count);
void smooth(int shift, const int32_t *word, int32_t *average, int32_t *signal, size_t count) {
    dcp_smooth(shift, word, average, signal, count);
}

/* A whole stream: what the kernel makes of masks[frames][words], in sums[frames][outputs]. */
void probe8_stream(const uint16_t *row, const uint32_t *used, size_t words, size_t outputs,
                   const int8_t *weight, const uint32_t *masks, size_t frames, uint32_t *seen,
                   int32_t *sum, int32_t *sums);
void probe8_stream(const uint16_t *row, const uint32_t *used, size_t words, size_t outputs,
                   const int8_t *weight, const uint32_t *masks, size_t frames, uint32_t *seen,
                   int32_t *sum, int32_t *sums) {
    for (size_t n = 0; n < frames; n++) {
        probe8(row, used, words, outputs, weight, masks + n * words, seen, sum);
        memcpy(sums + n * outputs, sum, outputs * sizeof *sum);
    }
}

void probe16_stream(const uint16_t *row, const uint32_t *used, size_t words, size_t outputs,
                    const int16_t *weight, const uint32_t *masks, size_t frames, uint32_t *seen,
                    int32_t *sum, int32_t *sums);
void probe16_stream(const uint16_t *row, const uint32_t *used, size_t words, size_t outputs,
                    const int16_t *weight, const uint32_t *masks, size_t frames, uint32_t *seen,
                    int32_t *sum, int32_t *sums) {
    for (size_t n = 0; n < frames; n++) {
        probe16(row, used, words, outputs, weight, masks + n * words, seen, sum);
        memcpy(sums + n * outputs, sum, outputs * sizeof *sum);
    }
}

/* The same from scratch in every frame: section 9 as it is written, feature by feature. */
void recompute(const int32_t *channel, size_t features, size_t words, size_t outputs,
               const int16_t *weight, const int32_t *bias, const uint32_t *masks, size_t frames,
               int32_t *sums);
void recompute(const int32_t *channel, size_t features, size_t words, size_t outputs,
               const int16_t *weight, const int32_t *bias, const uint32_t *masks, size_t frames,
               int32_t *sums) {
    for (size_t n = 0; n < frames; n++) {
        for (size_t o = 0; o < outputs; o++) {
            int32_t sum = bias[o];
            for (size_t f = 0; f < features; f++) {
                if (dcp_is_active(masks + n * words, (size_t)channel[f])) {
                    sum += weight[f * outputs + o];
                }
            }
            sums[n * outputs + o] = sum;
        }
    }
}
