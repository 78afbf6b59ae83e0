/* SPDX-License-Identifier: Apache-2.0 */
/* From the microphone to the headphones. The button changes between the enhanced sound and the
 * noisy one, both with the same delay, so that one hears what the network does and nothing else. */

#include <string.h>

#include "dyncp.h"
#include "dyncp_sections.h"
#include "hal.h"

typedef char a_block_is_a_hop[(int)HAL_BLOCK == DYNCP_HOP ? 1 : -1];

/* By name, the linker may be told where it lies: docs/placement.md. */
DYNCP_IN_STATE static dyncp_state state;

int main(void) {
    static int16_t noisy[DYNCP_HOP], enhanced[DYNCP_HOP], last[DYNCP_HOP];
    int bypassed = 0, held = 0;

    if (hal_init() != 0 || dyncp_init(&state) != DYNCP_OK) {
        return 1;
    }
    while (hal_read_block(noisy)) {
        const int pressed = hal_button();
        if (pressed && !held) {
            bypassed = !bypassed;
        }
        held = pressed;
        if (dyncp_process(&state, noisy, enhanced, NULL) != DYNCP_OK) {
            return 1;
        }
        /* The library's delay is a hop, DYNCP_DELAY: what it tells now was said in the last one. */
        hal_write_block(bypassed ? last : enhanced);
        memcpy(last, noisy, sizeof last);
    }
    return 0;
}
