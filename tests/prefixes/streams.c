/* SPDX-License-Identifier: Apache-2.0 */
/* Two streams that share a scratch. Reads PCM from stdin; writes the sizes of state and scratch,
 * then frame by frame the output and the masks of a stream that hears it, and of one that hears it
 * at half its level. */
#include <stdio.h>

#include "dyncp.h"

static void pass(dyncp_state *state, const int16_t *in) {
    int16_t out[DYNCP_HOP];
    dyncp_process(state, in, out, NULL);
    fwrite(out, sizeof out, 1, stdout);
    fwrite(dyncp_masks(state), 4, DYNCP_MASK_WORDS, stdout);
}

int main(void) {
    static dyncp_state whole, half;
    const uint32_t sizes[2] = {sizeof whole, DYNCP_SCRATCH_BYTES};
    int16_t in[DYNCP_HOP], quiet[DYNCP_HOP];
    fwrite(sizes, sizeof sizes, 1, stdout);
    dyncp_init(&whole);
    dyncp_init(&half);
    while (fread(in, sizeof in, 1, stdin) == 1) {
        for (int n = 0; n < DYNCP_HOP; n++) {
            quiet[n] = (int16_t)(in[n] >> 1);
        }
        pass(&whole, in);
        pass(&half, quiet);
    }
    return 0;
}
