/* SPDX-License-Identifier: Apache-2.0 */
/* From Linux's entry to main on Hexagon. Linux has loaded the initial values and zeroed the rest,
 * and ends what faults. */

#include <stdint.h>

#include "linux.h"
#include "semihosting.h"

int main(void);

/* lld makes a section writable only if something writable is in it. */
__attribute__((section(".stack"), used)) static uint32_t in_the_stack[4];

/* `entry` is where Linux left argc, followed by argv. */
__attribute__((used, noinline, noreturn)) static void start(const uint32_t *entry) {
    linux_arguments = (const char *const *)(entry + 2);
    semihosting_exit(main());
}

/* On the image's own stack, whose use can be measured. */
__attribute__((naked, noreturn)) void reset_handler(void) {
    __asm__ volatile("{ r0 = r29 }\n\t"
                     "{ r29 = ##stack_top }\n\t"
                     "{ r30 = #0 }\n\t"
                     "{ jump start }");
}
