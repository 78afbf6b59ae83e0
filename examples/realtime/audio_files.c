/* SPDX-License-Identifier: Apache-2.0 */
/* The DMA of an emulated Cortex-M: SysTick's interrupt moves a block from the file in.pcm and one
 * to out.pcm, and calls the program. It comes whenever the program waits, so that a run does not
 * depend on how fast the emulator is. */

#include "audio.h"
#include "semihosting.h"

#define VTOR (*(volatile uint32_t *)0xE000ED08u)
#define ICSR (*(volatile uint32_t *)0xE000ED04u)
#define PENDSTSET (1u << 26)
enum { VECTORS = 16, PENDSV = 14, SYSTICK = 15 };

int16_t received[2][DYNCP_HOP], sent[2][DYNCP_HOP];

__attribute__((weak)) void pendsv_handler(void) {
}

/* Copied from the start-up's, to have handlers of our own. */
__attribute__((aligned(128))) static uint32_t vectors[VECTORS];

static void (*tell)(int half);
static int32_t in, out;
static volatile int half, blocks, ended;

static void systick_handler(void) {
    if (ended) {
        return;
    }
    half = !half;
    /* What was made of the block before the last is played now. */
    if (blocks >= 2 && semihosting_write(out, sent[half], sizeof sent[half]) != 0) {
        semihosting_exit(EXIT_FILE);
    }
    ended = semihosting_read(in, received[half], sizeof received[half]) != 0;
    if (!ended) {
        blocks = blocks + 1;
        tell(half);
    } else if (blocks >= 1) {
        (void)semihosting_write(out, sent[!half], sizeof sent[!half]);
        (void)semihosting_close(out);
    }
}

void audio_start(void (*filled)(int)) {
    const uint32_t *const old = (const uint32_t *)VTOR;
    for (int n = 0; n < VECTORS; n++) {
        vectors[n] = old[n];
    }
    vectors[PENDSV] = (uint32_t)(uintptr_t)pendsv_handler;
    vectors[SYSTICK] = (uint32_t)(uintptr_t)systick_handler;
    VTOR = (uint32_t)(uintptr_t)vectors;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    tell = filled;
    in = semihosting_open("in.pcm", SEMIHOSTING_READ_BINARY);
    out = semihosting_open("out.pcm", SEMIHOSTING_WRITE_BINARY);
    if (in < 0 || out < 0) {
        semihosting_exit(EXIT_FILE);
    }
}

int audio_wait(void) {
    ICSR = PENDSTSET; /* on a board: wfi */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    return !ended;
}
