/* SPDX-License-Identifier: Apache-2.0 */
/* A project of its own, which gets the library from its build system. */
#include <dyncp.h>

int enhance(int16_t pcm[DYNCP_HOP]);

int enhance(int16_t pcm[DYNCP_HOP]) {
    static dyncp_state state;
    static int begun;
    if (!begun && dyncp_init(&state) != DYNCP_OK) {
        return 1;
    }
    begun = 1;
    return dyncp_process(&state, pcm, pcm, 0) != DYNCP_OK;
}
