/* SPDX-License-Identifier: Apache-2.0 */
/* How an image on a Cortex-M calls the emulator, and where its stack stands. */
#ifndef DYNCP_ISA_H
#define DYNCP_ISA_H

#include <stdint.h>

static inline int32_t semihosting_call(uint32_t operation, const void *block) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

static inline uint32_t *stack_pointer(void) {
    uint32_t *pointer;
    __asm__ volatile("mov %0, sp" : "=r"(pointer)::"memory");
    return pointer;
}

#endif
