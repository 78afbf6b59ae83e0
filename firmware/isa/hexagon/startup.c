/* SPDX-License-Identifier: Apache-2.0 */
/* From Linux's entry to main on Hexagon, and semihosting by system calls. Linux has loaded the
 * initial values and zeroed the rest; what faults is ended by it. */

#include <stddef.h>
#include <stdint.h>

#include "semihosting.h"

int main(void);

enum { LINUX_OPENAT = 56, LINUX_CLOSE = 57, LINUX_READ = 63, LINUX_WRITE = 64, LINUX_EXIT = 93 };

enum { AT_FDCWD = -100, O_WRONLY_CREAT_TRUNC = 01 | 0100 | 01000, STANDARD_OUTPUT = 1 };

static const char *const *linux_arguments;

/* lld makes a section writable only if something writable is in it. */
__attribute__((section(".stack"), used)) static uint32_t in_the_stack[4];

static int32_t linux_call(int32_t number, int32_t a, int32_t b, int32_t c, int32_t d) {
    register int32_t r0 __asm__("r0") = a;
    register int32_t r1 __asm__("r1") = b;
    register int32_t r2 __asm__("r2") = c;
    register int32_t r3 __asm__("r3") = d;
    register int32_t r6 __asm__("r6") = number;
    __asm__ volatile("trap0(#1)" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r3), "r"(r6) : "memory");
    return r0;
}

/* The number of bytes that were not read or written. */
static int32_t transfer(int32_t number, const semihosting_word *block) {
    semihosting_word data = block[1], left = block[2];
    while (left > 0) {
        const int32_t done = linux_call(number, (int32_t)block[0], (int32_t)data, (int32_t)left, 0);
        if (done <= 0) {
            break;
        }
        data += (semihosting_word)done;
        left -= (semihosting_word)done;
    }
    return (int32_t)left;
}

/* The arguments behind the program's name, with spaces between; −1 where `bytes` are too few. */
static int32_t command_line(char *line, size_t bytes) {
    size_t used = 0;
    for (const char *const *word = linux_arguments; *word != NULL; ++word) {
        for (const char *from = *word; *from != '\0'; ++from) {
            if (used + 1 >= bytes) {
                return -1;
            }
            line[used++] = *from;
        }
        if (word[1] != NULL && used < bytes) {
            line[used++] = ' ';
        }
    }
    if (used >= bytes) {
        return -1;
    }
    line[used] = '\0';
    return 0;
}

int32_t semihosting_call(uint32_t operation, const void *parameters) {
    const semihosting_word *const block = parameters;
    switch (operation) {
    case 0x01u: /* SYS_OPEN */
        return linux_call(LINUX_OPENAT, AT_FDCWD, (int32_t)block[0],
                          block[1] == SEMIHOSTING_READ_BINARY ? 0 : O_WRONLY_CREAT_TRUNC, 0666);
    case 0x02u: /* SYS_CLOSE */
        return linux_call(LINUX_CLOSE, (int32_t)block[0], 0, 0, 0);
    case 0x04u: /* SYS_WRITE0 */
        return linux_call(LINUX_WRITE, STANDARD_OUTPUT, (int32_t)parameters,
                          (int32_t)semihosting_length(parameters), 0);
    case 0x05u: /* SYS_WRITE */
        return transfer(LINUX_WRITE, block);
    case 0x06u: /* SYS_READ */
        return transfer(LINUX_READ, block);
    case 0x15u: /* SYS_GET_CMDLINE */
        return command_line((char *)block[0], block[1]);
    case 0x20u: /* SYS_EXIT_EXTENDED */
        return linux_call(LINUX_EXIT, (int32_t)block[1], 0, 0, 0);
    default:
        return -1;
    }
}

/* The compiler's call for unsigned division, which the core has no instruction for. */
uint32_t __hexagon_udivsi3(uint32_t dividend, uint32_t divisor);

uint32_t __hexagon_udivsi3(uint32_t dividend, uint32_t divisor) {
    uint32_t quotient = 0, remainder = 0;
    for (int bit = 31; bit >= 0; --bit) {
        remainder = (remainder << 1) | ((dividend >> bit) & 1u);
        if (remainder >= divisor) {
            remainder -= divisor;
            quotient |= 1u << bit;
        }
    }
    return quotient;
}

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
