/* SPDX-License-Identifier: Apache-2.0 */
/* What Frama-C's Eva analyses (make prove): a fresh state, then frames of any PCM. PROVE_FRAMES is
 * their number. */
#include "dyncp.h"

static dyncp_state state;
static int16_t in[DYNCP_HOP], out[DYNCP_HOP];
static dyncp_signals signals;

/* Any value: volatile, and nobody says what it is. */
static volatile int16_t unknown;

int main(void) {
    if (dyncp_init(&state) != DYNCP_OK) {
        return 1;
    }
    for (int frame = 0; frame < PROVE_FRAMES; frame++) {
        for (int n = 0; n < DYNCP_HOP; n++) {
            in[n] = unknown;
        }
        if (dyncp_process(&state, in, out, &signals) != DYNCP_OK) {
            return 1;
        }
    }
    return 0;
}
