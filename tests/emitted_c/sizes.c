/* SPDX-License-Identifier: Apache-2.0 */
/* Prints "name bytes" for the state and what is in it. Tables are measured in the object file. */
#include <stdio.h>

#include "dyncp_private.h"

#define MEMBER(name) printf(#name " %zu\n", sizeof((dyncp_internals *)0)->name)

int main(void) {
    printf("total %zu\n", sizeof(dyncp_state));
    MEMBER(magic);
    MEMBER(version);
    MEMBER(model);
    MEMBER(block_cap);
    MEMBER(frame_cap);
    MEMBER(controls);
    MEMBER(masks);
    MEMBER(probes);
    MEMBER(overlap);
    MEMBER(history);
    MEMBER(gain);
    MEMBER(block0);
    MEMBER(block1);
    MEMBER(scratch);
    return 0;
}
