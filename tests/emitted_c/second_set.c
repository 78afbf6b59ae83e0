/* SPDX-License-Identifier: Apache-2.0 */
/* Streams in.pcm through the library `dyncp`, and reads its masks by the probe set `night` besides:
 * on the host and on an emulated core. words.bin gets the signal words of both of each frame, and
 * what night decides for noise. In the end, what is refused. */
#include <string.h>

#include "dyncp.h"
#include "night.h"
#include "semihosting.h"

static dyncp_state state, blank;
static night_state night, raw;

typedef struct {
    int16_t output[DYNCP_HOP];
    int32_t day[DYNCP_PROBE_OUTPUTS], night[NIGHT_PROBE_OUTPUTS];
    int32_t noise, valid;
} record;

static int refusals(void) {
    night_signals signals;
    night_decision now;
    int done = night_init(NULL) == DYNCP_ERROR_NULL;
    done = done && night_read(&raw, &state, &signals) == DYNCP_ERROR_UNINITIALIZED;
    done = done && night_read(NULL, &state, &signals) == DYNCP_ERROR_NULL;
    done = done && night_read(&night, NULL, &signals) == DYNCP_ERROR_NULL;
    done = done && night_read(&night, &blank, &signals) == DYNCP_ERROR_UNINITIALIZED;
    done = done && night_read(&night, &state, NULL) == DYNCP_OK;
    done = done && night_set_decision(&night, NIGHT_DECISIONS, 0, 0) == DYNCP_ERROR_SETTING;
    done = done && night_set_decision(&night, NIGHT_DECISION_NOISE, -1, 0) == DYNCP_ERROR_SETTING;
    done = done && night_set_decision(&raw, 0, 0, 0) == DYNCP_ERROR_UNINITIALIZED;
    done = done && night_get_decision(&night, NIGHT_DECISIONS, &now) == DYNCP_ERROR_SETTING;
    done = done && night_get_decision(&night, 0, NULL) == DYNCP_ERROR_NULL;
    done = done && night_get_decision(&night, NIGHT_DECISION_NOISE, &now) == DYNCP_OK;
    return done && now.level == 40 && now.hangover == 3 && night_probe_words(NULL) == NULL;
}

int main(void) {
    static int16_t pcm[DYNCP_HOP];
    static record told;
    const int32_t in = semihosting_open("in.pcm", SEMIHOSTING_READ_BINARY);
    const int32_t out = semihosting_open("words.bin", SEMIHOSTING_WRITE_BINARY);
    if (in < 0 || out < 0 || dyncp_init(&state) != DYNCP_OK || night_init(&night) != DYNCP_OK) {
        return EXIT_FILE;
    }
    if (night_set_decision(&night, NIGHT_DECISION_NOISE, 40, 3) != DYNCP_OK) {
        return EXIT_LIBRARY;
    }
    while (semihosting_read(in, pcm, sizeof pcm) == 0) {
        dyncp_signals by_day;
        night_signals by_night;
        if (dyncp_process(&state, pcm, told.output, &by_day) != DYNCP_OK ||
            night_read(&night, &state, &by_night) != DYNCP_OK) {
            return EXIT_LIBRARY;
        }
        memcpy(told.day, dyncp_signal_words(&state), sizeof told.day);
        memcpy(told.night, night_signal_words(&night), sizeof told.night);
        told.noise = by_night.noise;
        told.valid = by_night.snr_valid;
        if (semihosting_write(out, &told, sizeof told) != 0) {
            return EXIT_FILE;
        }
    }
    return refusals() ? EXIT_DONE : EXIT_LIBRARY;
}
