/* SPDX-License-Identifier: Apache-2.0 */
/* Reads PCM from stdin, prints the signals of each frame: those of the tasks vad, noise and snr.
 * With an argument, it prints what the header says of them instead. */
#include <stdio.h>

#include "dyncp.h"

static dyncp_state state;

static void print_header(void) {
    printf("vad %d %s\n", DYNCP_VAD_Q, DYNCP_VAD_UNIT);
    printf("noise %d %s %d %d %d\n", DYNCP_NOISE_Q, DYNCP_NOISE_UNIT, DYNCP_NOISE_HUM,
           DYNCP_NOISE_STREET, DYNCP_NOISE_BABBLE);
    printf("snr %d %s\n", DYNCP_SNR_Q, DYNCP_SNR_UNIT);
    printf("set %d %s\n", DYNCP_PROBES_VERSION, DYNCP_PROBES_HASH);
}

int main(int count, char **arguments) {
    int16_t pcm[DYNCP_HOP];
    dyncp_signals s;
    (void)arguments;
    if (count > 1) {
        print_header();
        return 0;
    }
    dyncp_init(&state);
    while (fread(pcm, sizeof pcm, 1, stdin) == 1) {
        dyncp_process(&state, pcm, pcm, &s);
        printf("%u %u %d %d", (unsigned)s.macs, (unsigned)s.active, (int)s.vad_score, s.vad);
        for (size_t i = 0; i < sizeof s.noise_scores / sizeof *s.noise_scores; i++) {
            printf(" %d", (int)s.noise_scores[i]);
        }
        printf(" %d %d %d\n", s.noise, (int)s.snr, s.snr_valid);
    }
    return 0;
}
