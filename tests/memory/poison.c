/* SPDX-License-Identifier: Apache-2.0 */
/* Streams int16 PCM from standard input through a library built with DYNCP_TRACE. After every stage
 * its data go to standard output, and then every byte of scratch that poison.h calls dead is
 * spoiled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dyncp_private.h"
#include "dyncp_stages.h"
#include "poison.h"

static union {
    dyncp_state own;
    dyncp_internals inside;
} state;

void dyncp_trace(int stage, const void *data, size_t bytes) {
    /* A stage that the frame left out has no data. */
    for (size_t i = 0; i < bytes; i++) {
        if (putchar(data == NULL ? 0 : ((const unsigned char *)data)[i]) == EOF) {
            exit(EXIT_FAILURE);
        }
    }
    for (size_t i = 0; i < DYNCP_SCRATCH_BYTES; i++) {
        if (dead[stage][i]) {
            memset((unsigned char *)&state.inside.scratch + i, POISON, 1);
        }
    }
}

int main(void) {
    int16_t in[DYNCP_HOP], out[DYNCP_HOP];
    dyncp_signals signals;
    if (dyncp_init(&state.own) != DYNCP_OK) {
        return EXIT_FAILURE;
    }
    memset(&state.inside.scratch, POISON, sizeof state.inside.scratch);
    while (fread(in, sizeof in, 1, stdin) == 1) {
        if (dyncp_process(&state.own, in, out, &signals) != DYNCP_OK) {
            return EXIT_FAILURE;
        }
        const uint32_t counters[2] = {signals.macs, signals.active};
        if (fwrite(counters, sizeof counters, 1, stdout) != 1) {
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}
