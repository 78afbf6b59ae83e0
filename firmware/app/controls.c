/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a generated library with settings that change from frame to frame, under an emulator with
 * semihosting, for dyncp.firmware.proof.product.controls.
 *
 * PCM and settings come in, records go out. There are SETTINGS words of settings to every frame, in
 * the order of dyncp.export.integers.controls.Settings; a `record` is written for each. What the
 * library does not give back as it was set ends the run with a status. */
#include <string.h>

#include "dyncp_private.h"
#include "one_copy.h"
#include "semihosting.h"

enum { GAIN_SETTINGS = 5, SETTINGS = GAIN_SETTINGS + 2 * DYNCP_DECISIONS };

typedef struct {
    int16_t output[DYNCP_HOP];
    uint16_t gains[DYNCP_GAINS + DYNCP_GAINS % 2];
#if DYNCP_DECISIONS > 0
    uint32_t decisions[DYNCP_DECISIONS];
#endif
    uint32_t macs;
} record;

static dyncp_state state;

/* Returns whether all were taken, and are told again. */
static int set(const int32_t *words) {
    dyncp_settings now;
    int done = dyncp_set_limit(&state, (uint32_t)words[0]) == DYNCP_OK &&
               dyncp_set_strength(&state, (uint32_t)words[1]) == DYNCP_OK &&
               dyncp_set_bypass(&state, words[2]) == DYNCP_OK &&
               dyncp_set_smoothing(&state, (uint32_t)words[3], (uint32_t)words[4]) == DYNCP_OK;
    for (int n = 0; n < DYNCP_DECISIONS; n++) {
        const int32_t *of = &words[GAIN_SETTINGS + 2 * n];
        done = done && dyncp_set_decision(&state, (uint32_t)n, of[0], (uint32_t)of[1]) == DYNCP_OK;
    }
    done = done && dyncp_set_decision(&state, DYNCP_DECISIONS, 0, 0) == DYNCP_ERROR_SETTING;
    if (!done || dyncp_get_settings(&state, &now) != DYNCP_OK) {
        return 0;
    }
    int32_t told[SETTINGS] = {(int32_t)now.limit, (int32_t)now.strength, (int32_t)now.bypass,
                              (int32_t)now.attack, (int32_t)now.release};
    for (int n = 0; n < DYNCP_DECISIONS; n++) {
        told[GAIN_SETTINGS + 2 * n] = now.decisions[n].level;
        told[GAIN_SETTINGS + 2 * n + 1] = (int32_t)now.decisions[n].hangover;
    }
    int same = 1;
    for (int n = 0; n < SETTINGS; n++) {
        same = same && told[n] == words[n];
    }
    return same;
}

/* The plugin counts instructions between the two labels. */
ONE_COPY static dyncp_status counted(const int16_t *in, int16_t *out, dyncp_signals *signals) {
    __asm__ volatile("controlled_begin:" ::: "memory");
    const dyncp_status status = dyncp_process(&state, in, out, signals);
    __asm__ volatile("controlled_end:" ::: "memory");
    return status;
}

static int process(const int16_t *in, int32_t to) {
    static record result;
    dyncp_signals signals;
    if (counted(in, result.output, &signals) != DYNCP_OK) {
        return 0;
    }
    memcpy(result.gains, dyncp_gains(&state), DYNCP_GAINS * sizeof *result.gains);
#if DYNCP_DECISIONS > 0
    for (int n = 0; n < DYNCP_DECISIONS; n++) {
        result.decisions[n] = ((const dyncp_internals *)&state)->probes.decisions[n].told;
    }
#endif
    result.macs = signals.macs;
    return semihosting_write(to, &result, sizeof result) == 0;
}

int main(void) {
    static int16_t in[DYNCP_HOP];
    static int32_t words[SETTINGS];
    const int32_t pcm = semihosting_open("controls.pcm", SEMIHOSTING_READ_BINARY);
    const int32_t settings = semihosting_open("settings.bin", SEMIHOSTING_READ_BINARY);
    const int32_t records = semihosting_open("controls.bin", SEMIHOSTING_WRITE_BINARY);
    if (pcm < 0 || settings < 0 || records < 0) {
        return EXIT_FILE;
    }
    if (dyncp_init(&state) != DYNCP_OK) {
        return EXIT_LIBRARY;
    }
    while (semihosting_read(pcm, in, sizeof in) == 0) {
        if (semihosting_read(settings, words, sizeof words) != 0) {
            return EXIT_FILE;
        }
        if (!set(words) || !process(in, records)) {
            semihosting_print("a setting was not taken as it is, or dyncp_process failed");
            return EXIT_LIBRARY;
        }
    }
    return semihosting_close(records) == 0 ? EXIT_DONE : EXIT_FILE;
}
