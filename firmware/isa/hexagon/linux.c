/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of semihosting.h as system calls of Linux. */

#include <stddef.h>
#include <stdint.h>

#include "linux.h"
#include "semihosting.h"

enum { LINUX_OPENAT = 56, LINUX_CLOSE = 57, LINUX_READ = 63, LINUX_WRITE = 64, LINUX_EXIT = 93 };

enum { AT_FDCWD = -100, O_WRONLY_CREAT_TRUNC = 01 | 0100 | 01000, STANDARD_OUTPUT = 1 };

const char *const *linux_arguments;

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
