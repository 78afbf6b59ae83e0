/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to main, in machine mode of RISC-V, 32 or 64 bits; traps end the run with a message.
 */

#include <stdint.h>

#include "semihosting.h"

extern uint32_t stack_top[], data_begin[], data_end[], data_load[], bss_begin[], bss_end[];

int main(void);

__attribute__((used, noreturn)) static void report_fault(void) {
    uintptr_t cause, pc, value;
    __asm__ volatile("csrr %0, mcause" : "=r"(cause));
    __asm__ volatile("csrr %0, mepc" : "=r"(pc));
    __asm__ volatile("csrr %0, mtval" : "=r"(value));
    semihosting_print("fault: exception ");
    semihosting_print_hex((uint32_t)cause);
    semihosting_print(" at pc ");
    semihosting_print_hex((uint32_t)pc);
    semihosting_print(", value ");
    semihosting_print_hex((uint32_t)value);
    semihosting_print("\n");
    semihosting_exit(EXIT_FAULT);
}

/* What faulted may have used up its stack. */
__attribute__((naked, used, aligned(4))) static void fault_handler(void) {
    __asm__ volatile("la sp, stack_top\n\tj report_fault");
}

__attribute__((used, noinline, noreturn)) static void start(void) {
    for (uint32_t *from = data_load, *to = data_begin; to < data_end; ++from, ++to) {
        *to = *from;
    }
    for (uint32_t *to = bss_begin; to < bss_end; ++to) {
        *to = 0;
    }
    semihosting_exit(main());
}

/* mstatus: FS and VS are set to `initial`, without which floating-point and vector instructions
 * trap; bits that a core does not have stay 0. */
__attribute__((naked, noreturn, section(".vectors"))) void reset_handler(void) {
    __asm__ volatile("la sp, stack_top\n\t"
                     "la t0, fault_handler\n\t"
                     "csrw mtvec, t0\n\t"
                     "li t0, 0x2200\n\t"
                     "csrs mstatus, t0\n\t"
                     "j start");
}
