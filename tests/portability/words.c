/* SPDX-License-Identifier: Apache-2.0 */
/* Streams a file of int16 PCM through a library, and writes every word of every frame to another:
 * output, masks, probe words, signals, macs and active. Both files are little-endian, whatever the
 * core is. */
#include <stdio.h>

#include "dyncp.h"

static dyncp_state state;

/* Returns 0 where it cannot be written. */
static int put(FILE *file, uint32_t value, int bytes) {
    for (int n = 0; n < bytes; n++, value >>= 8) {
        if (fputc((int)(value & 255u), file) == EOF) {
            return 0;
        }
    }
    return 1;
}

static int put_words(FILE *file, const uint32_t *words, size_t count) {
    int done = 1;
    for (size_t n = 0; done && n < count; n++) {
        done = put(file, words[n], 4);
    }
    return done;
}

static int put_signed(FILE *file, const int32_t *words, size_t count) {
    int done = 1;
    for (size_t n = 0; done && n < count; n++) {
        done = put(file, (uint32_t)words[n], 4);
    }
    return done;
}

#ifdef CHANGE_SETTINGS
/* Levels that nothing reaches and none, of every decision that there is. */
static int decide(int high) {
    int done = dyncp_set_decision(&state, DYNCP_DECISIONS, 0, 0) == DYNCP_ERROR_SETTING;
    for (uint32_t n = 0; n != DYNCP_DECISIONS; n++) {
        const int32_t level = high ? INT32_MAX : 0;
        done = done && dyncp_set_decision(&state, n, level, high ? 3 : 0) == DYNCP_OK;
    }
    return done;
}

/* Every control alone, none, and all, for twelve frames each, so that all of the runtime is run. */
static int change(uint32_t frame) {
    const uint32_t now = frame / 12 % 8;
    const int all = now == 7;
    return dyncp_set_limit(&state, now == 1 || all ? 12 : DYNCP_NO_LIMIT) == DYNCP_OK &&
           dyncp_set_strength(&state, now == 2 ? 60
                                      : all    ? 150
                                               : 100) == DYNCP_OK &&
           dyncp_set_smoothing(&state, now == 3 || all ? 40 : 100, now == 4 || all ? 30 : 100) ==
               DYNCP_OK &&
           dyncp_set_bypass(&state, now == 5 || all) == DYNCP_OK && decide(all) &&
           dyncp_set_smoothing(&state, 0, 1) == DYNCP_ERROR_SETTING &&
           dyncp_set_smoothing(&state, 101, 1) == DYNCP_ERROR_SETTING;
}
#endif

static int process(const unsigned char *bytes, FILE *file) {
    int16_t in[DYNCP_HOP], out[DYNCP_HOP];
    dyncp_signals signals;
    for (int n = 0; n < DYNCP_HOP; n++) {
        in[n] = (int16_t)(bytes[2 * n] | bytes[2 * n + 1] << 8);
    }
    if (dyncp_process(&state, in, out, &signals) != DYNCP_OK) {
        return 0;
    }
    int done = 1;
    for (int n = 0; done && n < DYNCP_HOP; n++) {
        done = put(file, (uint32_t)out[n], 2);
    }
    return done && put_words(file, dyncp_masks(&state), DYNCP_MASK_WORDS) &&
           put_signed(file, dyncp_probe_words(&state), DYNCP_PROBE_OUTPUTS) &&
           put_signed(file, dyncp_signal_words(&state), DYNCP_PROBE_OUTPUTS) &&
           put(file, signals.macs, 4) && put(file, signals.active, 4);
}

int main(int count, char **arguments) {
    static unsigned char bytes[2 * DYNCP_HOP];
    FILE *from = count == 3 ? fopen(arguments[1], "rb") : NULL;
    FILE *to = count == 3 ? fopen(arguments[2], "wb") : NULL;
    if (from == NULL || to == NULL || dyncp_init(&state) != DYNCP_OK) {
        return 2;
    }
#ifdef CALL_SELFTEST
    if (dyncp_selftest(&state) != DYNCP_OK) {
        return 5;
    }
#endif
#ifdef CHANGE_SETTINGS
    uint32_t frame = 0;
#endif
    while (fread(bytes, 1, sizeof bytes, from) == sizeof bytes) {
#ifdef CHANGE_SETTINGS
        if (!change(frame++)) {
            return 6;
        }
#endif
        if (!process(bytes, to)) {
            return 3;
        }
    }
    return fclose(to) == 0 ? 0 : 4;
}
