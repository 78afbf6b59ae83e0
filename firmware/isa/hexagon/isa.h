/* SPDX-License-Identifier: Apache-2.0 */
/* How an image on Hexagon calls the emulator, and where its stack stands. QEMU runs it as a Linux
 * program, so the calls of semihosting.h become system calls of Linux. */
#ifndef DYNCP_ISA_H
#define DYNCP_ISA_H

#include <stdint.h>

int32_t semihosting_call(uint32_t operation, const void *block);

static inline uint32_t *stack_pointer(void) {
    uint32_t *pointer;
    __asm__ volatile("%0 = r29" : "=r"(pointer)::"memory");
    return pointer;
}

#endif
