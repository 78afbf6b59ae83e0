/* SPDX-License-Identifier: Apache-2.0 */
/* Reads PCM from stdin, prints the signals of each frame: those of the tasks vad, noise and snr. */
#include <stdio.h>

#include "dyncp.h"

static dyncp_state state;

int main(void) {
    int16_t pcm[DYNCP_HOP];
    dyncp_signals s;
    dyncp_init(&state);
    while (fread(pcm, sizeof pcm, 1, stdin) == 1) {
        dyncp_process(&state, pcm, pcm, &s);
        printf("%u %u %d %d", (unsigned)s.macs, (unsigned)s.active, (int)s.vad_score, s.vad);
        for (size_t i = 0; i < sizeof s.noise_scores / sizeof *s.noise_scores; i++) {
            printf(" %d", (int)s.noise_scores[i]);
        }
        printf(" %d %d\n", s.noise, (int)s.snr);
    }
    return 0;
}
