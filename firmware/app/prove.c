/* SPDX-License-Identifier: Apache-2.0 */
/* Calls every portable kernel of a generated library with unknown inputs, for Frama-C's Eva
 * (firmware/static/eva.py): it follows all values at once, and reports each operation that it
 * cannot prove to be defined. Includes the library, for its kernels and tables are static. */
#include "dyncp.c"

#include "__fc_builtin.h"

/* Rows and columns: groups of four and a rest, and more than a word of a mask. */
enum { ROWS = 6, COLUMNS = 5, CHANNELS = 35 };

#define UNKNOWN(array, low, high)                                                                  \
    do {                                                                                           \
        for (size_t i = 0; i < sizeof(array) / sizeof *(array); i++) {                             \
            (array)[i] = Frama_C_interval(low, high);                                              \
        }                                                                                          \
    } while (0)

static int8_t weight[3 * 8 * 8], x8[64], h8[64], oldest8[64], middle8[64];
static int32_t bias[64], multiplier[64], score[64], sum32[64];
static int16_t x16[64], y16[257];
static uint32_t mask[2], work[64];

/* Biases are what the export leaves room for: no sum of these layers reaches 32 bits. */
static dcp_layer layer(size_t rows, size_t columns) {
    UNKNOWN(weight, -128, 127);
    UNKNOWN(bias, -(1 << 30), 1 << 30);
    UNKNOWN(multiplier, 0, (1 << 30) - 1);
    const dcp_layer made = {weight, bias, multiplier, rows, columns};
    return made;
}

static void inputs(int least) {
    UNKNOWN(x8, least, 127);
    UNKNOWN(h8, 0, 127);
    UNKNOWN(oldest8, 0, 127);
    UNKNOWN(middle8, 0, 127);
    UNKNOWN(x16, -32768, 32767);
    UNKNOWN(y16, -32768, 32767);
    for (size_t i = 0; i < 2; i++) {
        mask[i] = (uint32_t)Frama_C_interval(-1, 1) * (uint32_t)Frama_C_interval(0, 0x7fffffff);
    }
}

static void prove_dense(void) {
    const dcp_layer dense = layer(ROWS, COLUMNS);
    inputs(-128);
    (void)dcp_front(&dense, x8, work, y16);
    (void)dcp_back(&dense, x8, work, y16);
    (void)dcp_expand(&dense, x8, work, h8);
    (void)dcp_expand_gated(&dense, mask, x8, work, h8);
    inputs(0);
    (void)dcp_project_rows(&dense, mask, h8, work, y16);
}

static void prove_columns(void) {
    const dcp_layer columns = layer(ROWS, COLUMNS);
    inputs(0);
    (void)dcp_project_columns(&columns, mask, h8, sum32, y16);
}

static void prove_depthwise(void) {
    const dcp_layer depthwise = layer(ROWS, 3);
    inputs(0);
    (void)dcp_depthwise(&depthwise, h8, oldest8, middle8);
    inputs(0);
    (void)dcp_depthwise_gated(&depthwise, mask, h8, oldest8, middle8);
}

static void prove_gate(void) {
    const dcp_layer gate = layer(ROWS, COLUMNS);
    inputs(-128);
    (void)dcp_gate(&gate, x16, work, y16);
    (void)dcp_score(&gate, COLUMNS, x16, work, score);
}

static void prove_inputs(void) {
    inputs(-128);
    dcp_narrow(Frama_C_interval(0, (1 << 30) - 1), x16, x8, COLUMNS);
    UNKNOWN(y16, -32512, 32512);
    UNKNOWN(oldest8, -128, 127);
    dcp_pool_window(x8, y16, oldest8, COLUMNS);
    UNKNOWN(y16, -32768, 32767);
    dcp_pool_ema(Frama_C_interval(0, (1 << 30) - 1), x8, y16, COLUMNS);
    UNKNOWN(multiplier, 0, (1 << 30) - 1);
    UNKNOWN(x16, 0, 32767);
    UNKNOWN(y16, 0, 32767);
    dcp_pool_each(multiplier, x16, y16, ROWS);
}

static void prove_masks(void) {
    UNKNOWN(score, INT32_MIN, INT32_MAX);
    (void)dcp_mask(score, mask, CHANNELS, (uint32_t)Frama_C_interval(0, INT32_MAX),
                   (uint32_t)Frama_C_interval(0, INT32_MAX));
    (void)dcp_any(mask, 2);
    (void)dcp_count(mask, 2);
}

static void prove_features(void) {
    static int32_t bins[2 * DCP_BINS];
    int8_t features[DCP_BINS];
    const uint16_t edges[] = {0, 1, 3, 7};
    const uint32_t reciprocals[] = {0, 2147483648u, 1073741824u};
    UNKNOWN(bins, INT32_MIN, INT32_MAX);
    dcp_band_features(dyncp_thresholds, dyncp_starts, edges, reciprocals, 3, bins, features);
}

static void prove_suppression(void) {
    uint16_t suppression[DCP_BINS];
    UNKNOWN(y16, -32768, 32767);
    dcp_suppression(dyncp_sigmoid, y16, suppression, 3);
}

static void prove_readout(void) {
    int32_t words[5], average[5], signals[5];
    UNKNOWN(words, INT32_MIN, INT32_MAX);
    UNKNOWN(average, INT32_MIN, INT32_MAX);
    for (int shift = 1; shift < 8; shift++) {
        dcp_smooth(shift, words, average, signals, 5);
    }
    dcp_decision decision;
    decision.level = Frama_C_interval(INT32_MIN, INT32_MAX);
    decision.hangover = (uint32_t)Frama_C_interval(-1, INT32_MAX);
    decision.since = (uint32_t)Frama_C_interval(-1, INT32_MAX);
    decision.told = (uint32_t)Frama_C_interval(-1, INT32_MAX);
    const uint32_t period = (uint32_t)Frama_C_interval(1, 16);
    dcp_choose(&decision, words, 5, period);
    dcp_decide(&decision, words[0], period);
}

static void prove_frame_ends(void) {
    static int16_t in[DCP_HOP], history[DCP_HOP], out[DCP_HOP];
    static int32_t z[2 * DCP_HOP], overlap[DCP_HOP];
    UNKNOWN(in, -32768, 32767);
    UNKNOWN(history, -32768, 32767);
    dcp_window(dyncp_window, in, history, z);
    UNKNOWN(z, INT32_MIN, INT32_MAX);
    UNKNOWN(overlap, INT32_MIN, INT32_MAX);
    dcp_overlap_add(dyncp_window, z, overlap, out);
}

static void prove_transforms(void) {
    static int32_t x[2 * DCP_BINS], z[2 * DCP_HOP];
    static uint16_t suppression[DCP_BINS];
    UNKNOWN(x, INT32_MIN, INT32_MAX);
    UNKNOWN(suppression, 0, UINT16_MAX);
    dcp_split(dyncp_twiddle, x);
    UNKNOWN(x, INT32_MIN, INT32_MAX);
    dcp_merge(dyncp_twiddle, NULL, suppression, x);
    UNKNOWN(x, INT32_MIN, INT32_MAX);
    dcp_merge(dyncp_twiddle, dyncp_bands, suppression, x);
    UNKNOWN(x, INT32_MIN, INT32_MAX);
    dcp_fft(dyncp_twiddle, x, z);
}

int main(void) {
    prove_dense();
    prove_columns();
    prove_depthwise();
    prove_gate();
    prove_inputs();
    prove_masks();
    prove_features();
    prove_suppression();
    prove_readout();
    prove_frame_ends();
    prove_transforms();
    return 0;
}
