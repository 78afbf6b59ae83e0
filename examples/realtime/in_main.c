/* SPDX-License-Identifier: Apache-2.0 */
/* The interrupt tells which half is at rest, the main loop works on it. For programs that have
 * nothing else to do, or little. */

#include <stddef.h>

#include "audio.h"

static dyncp_state state;
static volatile int at_rest = -1;
static volatile unsigned late; /* blocks that came before the last one was done: too slow a core */

static void filled(int half) {
    if (at_rest >= 0) {
        late = late + 1;
    }
    at_rest = half;
}

int main(void) {
    if (dyncp_init(&state) != DYNCP_OK) {
        return 1;
    }
    audio_start(filled);
    while (audio_wait()) {
        const int half = at_rest;
        if (half >= 0) {
            (void)dyncp_process(&state, received[half], sent[half], NULL);
            at_rest = -1;
        }
    }
    return late != 0;
}
