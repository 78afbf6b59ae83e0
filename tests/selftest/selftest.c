/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the statuses of the self-test, then of a state that it has left, and of the argument NULL.
 */
#include <stdio.h>

#include "dyncp.h"

static dyncp_state state;

int main(void) {
    int16_t pcm[DYNCP_HOP] = {0};
    printf("%d", (int)dyncp_check_tables());
    printf(" %d", (int)dyncp_selftest(&state));
    printf(" %d", (int)dyncp_process(&state, pcm, pcm, NULL));
    printf(" %d\n", (int)dyncp_selftest(NULL));
    return 0;
}
