/* SPDX-License-Identifier: Apache-2.0 */
/* Reads PCM from stdin and prints `vad` and `snr_valid` of each frame. Arguments: level and
 * hangover, which are set in frame 10, and again to 0 in frame 60. */
#include <stdio.h>
#include <stdlib.h>

#include "dyncp.h"

static dyncp_state state;

int main(int count, char **arguments) {
    int16_t pcm[DYNCP_HOP];
    dyncp_signals signals;
    if (count != 3 || dyncp_init(&state) != DYNCP_OK) {
        return 2;
    }
    const int32_t level = (int32_t)strtol(arguments[1], NULL, 10);
    const uint32_t hangover = (uint32_t)strtoul(arguments[2], NULL, 10);
    for (int frame = 0; fread(pcm, sizeof pcm, 1, stdin) == 1; frame++) {
        if (frame == 10 && dyncp_set_vad(&state, level, hangover) != DYNCP_OK) {
            return 3;
        }
        if (frame == 60 && dyncp_set_vad(&state, 0, 0) != DYNCP_OK) {
            return 4;
        }
        /* Without a struct to fill, time goes on all the same. */
        if (dyncp_process(&state, pcm, pcm, frame % 3 == 1 ? NULL : &signals) != DYNCP_OK) {
            return 5;
        }
        if (frame % 3 == 1) {
            printf("-1 -1\n");
        } else {
            printf("%d %d\n", signals.vad, signals.snr_valid);
        }
    }
    return 0;
}
