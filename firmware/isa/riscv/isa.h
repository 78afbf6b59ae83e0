/* SPDX-License-Identifier: Apache-2.0 */
/* How an image on RISC-V calls the emulator ("RISC-V Semihosting"), and where its stack stands. */
#ifndef DYNCP_ISA_H
#define DYNCP_ISA_H

#include <stdint.h>

/* Three instructions of 4 bytes tell a call from a breakpoint; they must not straddle pages. */
static inline int32_t semihosting_call(uint32_t operation, const void *block) {
    register uintptr_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = block;
    __asm__ volatile(".balign 16\n\t.option push\n\t.option norvc\n\t"
                     "slli x0, x0, 0x1f\n\tebreak\n\tsrai x0, x0, 7\n\t.option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return (int32_t)a0;
}

static inline uint32_t *stack_pointer(void) {
    uint32_t *pointer;
    __asm__ volatile("mv %0, sp" : "=r"(pointer)::"memory");
    return pointer;
}

#endif
