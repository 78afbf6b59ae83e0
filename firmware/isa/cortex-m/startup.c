/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to main, on any Cortex-M; faults end the run with a message. */

#include <stdint.h>

#include "semihosting.h"

extern uint32_t stack_top[], data_begin[], data_end[], data_load[], bss_begin[], bss_end[];

int main(void);

__attribute__((noinline, noreturn)) static void start(void) {
    for (uint32_t *from = data_load, *to = data_begin; to < data_end; ++from, ++to) {
        *to = *from;
    }
    for (uint32_t *to = bss_begin; to < bss_end; ++to) {
        *to = 0;
    }
    semihosting_exit(main());
}

/* Coprocessors come first: the compiler may use vector registers in `start`. */
__attribute__((noreturn)) void reset_handler(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: full access to CP10 and CP11 */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
#if defined(__ARM_FEATURE_MVE)
    /* FPDSCR.LTPSIZE = 4: no tail predication in a new floating-point context. */
    *(volatile uint32_t *)0xE000EF3Cu = 4u << 16;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
    start();
}

__attribute__((used, noreturn)) static void report_fault(const uint32_t *frame) {
    uint32_t exception;
    __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
    semihosting_print("fault: exception ");
    semihosting_print_hex(exception);
    semihosting_print(" at pc ");
    semihosting_print_hex(frame[6]);
    semihosting_print(", CFSR ");
    semihosting_print_hex(*(volatile uint32_t *)0xE000ED28u);
    semihosting_print("\n");
    semihosting_exit(EXIT_FAULT);
}

__attribute__((naked)) static void fault_handler(void) {
    __asm__ volatile("mrs r0, msp\n\tb report_fault");
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))stack_top,
    reset_handler,
    fault_handler,
    fault_handler,
    fault_handler,
    fault_handler,
    fault_handler,
    fault_handler,
    fault_handler,
    fault_handler,
    fault_handler,
    fault_handler,
    fault_handler,
    fault_handler,
    fault_handler,
    fault_handler,
};
