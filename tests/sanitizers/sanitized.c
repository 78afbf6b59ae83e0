/* SPDX-License-Identifier: Apache-2.0 */
/* Streams PCM from stdin to stdout. With the argument n, the stream is reset after n frames of the
 * input, and only what follows is written. The state is on the heap, where the sanitizers see its
 * limits. */
#include <stdio.h>
#include <stdlib.h>

#include "dyncp.h"

int main(int count, char **arguments) {
    const long skipped = count > 1 ? strtol(arguments[1], NULL, 10) : 0;
    dyncp_state *state = malloc(sizeof *state);
    int16_t *in = malloc(DYNCP_HOP * sizeof *in), *out = malloc(DYNCP_HOP * sizeof *out);
    dyncp_signals signals;
    if (state == NULL || in == NULL || out == NULL || dyncp_init(state) != DYNCP_OK) {
        return 2;
    }
    for (long frame = 0; fread(in, sizeof *in, DYNCP_HOP, stdin) == DYNCP_HOP; frame++) {
        if (frame == skipped && dyncp_init(state) != DYNCP_OK) {
            return 3;
        }
        if (dyncp_process(state, in, out, &signals) != DYNCP_OK) {
            return 4;
        }
        if (frame >= skipped) {
            fwrite(out, sizeof *out, DYNCP_HOP, stdout);
        }
    }
    free(in);
    free(out);
    free(state);
    return 0;
}
