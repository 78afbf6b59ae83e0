/* SPDX-License-Identifier: Apache-2.0 */
/* Reads PCM from stdin and prints `vad`, `snr_valid` and `noise` of each frame. Arguments: level
 * and hangover of vad, then of noise, which are set in frame 10, and all to 0 in frame 60. */
#include <stdio.h>
#include <stdlib.h>

#include "dyncp.h"

static dyncp_state state;

static int32_t number(const char *text) {
    return (int32_t)strtol(text, NULL, 10);
}

static int set(int32_t level, uint32_t hangover, int32_t lead, uint32_t stay) {
    return dyncp_set_vad(&state, level, hangover) == DYNCP_OK &&
           dyncp_set_decision(&state, DYNCP_DECISION_NOISE, lead, stay) == DYNCP_OK;
}

int main(int count, char **arguments) {
    int16_t pcm[DYNCP_HOP];
    dyncp_signals signals;
    if (count != 5 || dyncp_init(&state) != DYNCP_OK) {
        return 2;
    }
    const int32_t level = number(arguments[1]), lead = number(arguments[3]);
    const uint32_t hangover = (uint32_t)number(arguments[2]), stay = (uint32_t)number(arguments[4]);
    for (int frame = 0; fread(pcm, sizeof pcm, 1, stdin) == 1; frame++) {
        if (frame == 10 && !set(level, hangover, lead, stay)) {
            return 3;
        }
        if (frame == 60 && !set(0, 0, 0, 0)) {
            return 4;
        }
        /* Without a struct to fill, time goes on all the same. */
        if (dyncp_process(&state, pcm, pcm, frame % 3 == 1 ? NULL : &signals) != DYNCP_OK) {
            return 5;
        }
        if (frame % 3 == 1) {
            printf("-1 -1 -1\n");
        } else {
            printf("%d %d %d\n", signals.vad, signals.snr_valid, signals.noise);
        }
    }
    return 0;
}
