/* SPDX-License-Identifier: Apache-2.0 */
/* The DMA's interrupt asks for PendSV, which has the lowest priority and does the work: the main
 * program goes on as if there were no audio, and other interrupts are not held up. */

#include <stddef.h>

#include "audio.h"

#define ICSR (*(volatile uint32_t *)0xE000ED04u) /* interrupt control and state */
#define PENDSVSET (1u << 28)
#define SHPR3 (*(volatile uint32_t *)0xE000ED20u) /* priorities of PendSV and SysTick */
#define LOWEST_PENDSV (0xFFu << 16)

void pendsv_handler(void); /* in the vector table */

static dyncp_state state; /* PendSV's alone */
static volatile int at_rest;

static void filled(int half) {
    at_rest = half;
    ICSR = PENDSVSET;
}

void pendsv_handler(void) {
    const int half = at_rest;
    (void)dyncp_process(&state, received[half], sent[half], NULL);
}

int main(void) {
    if (dyncp_init(&state) != DYNCP_OK) {
        return 1;
    }
    SHPR3 |= LOWEST_PENDSV;
    audio_start(filled);
    while (audio_wait()) {
        /* The rest of the product. */
    }
    return 0;
}
