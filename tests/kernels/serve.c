/* SPDX-License-Identifier: Apache-2.0 */
/* Calls functions of its own image as the host asks it to (tests/support/callable_c.py). The host
 * says where arrays lie: it sends a piece of memory with the request and gets it back with the
 * result. What a request forbids faults while the function runs. */
#include <stddef.h>

#include "semihosting.h"

enum { ARGUMENTS = 12, FORBIDDEN = 7 };

typedef struct {
    uint32_t address, bytes;
} range;

typedef struct {
    uint32_t function, argument[ARGUMENTS];
    range image, memory;
    uint32_t count;
    range forbidden[FORBIDDEN]; /* powers of 2, aligned to themselves */
} request;

typedef uint32_t (*function)(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t,
                             uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);

typedef struct {
    uint32_t type, control, number, base, attributes;
} protection;

#define MPU ((volatile protection *)0xE000ED90u)
#define MPU_MEMORY_TYPES (*(volatile uint32_t *)0xE000EDC0u)

enum { ENABLE = 1, BACKGROUND_MAP = 4 };

static void barrier(void) {
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

static void set_region(uint32_t number, uint32_t base, uint32_t attributes) {
    MPU->number = number;
    MPU->base = base;
    MPU->attributes = attributes;
}

/* Armv8-M cannot deny privileged code a region, but any access where two regions overlap faults.
 * Region 0 is all of the memory. Armv7-M can. */
static void protect(const request *call) {
#if __ARM_ARCH >= 8
    enum { EXECUTE_NEVER_READ_WRITE = 1 };
    MPU_MEMORY_TYPES = 0xff; /* type 0: normal memory */
    set_region(0, call->memory.address | EXECUTE_NEVER_READ_WRITE,
               (call->memory.address + call->memory.bytes - 32) | ENABLE);
#endif
    for (uint32_t i = 0; i < call->count; ++i) {
        const range *denied = &call->forbidden[i];
#if __ARM_ARCH >= 8
        set_region(i + 1, denied->address | EXECUTE_NEVER_READ_WRITE,
                   (denied->address + denied->bytes - 32) | ENABLE);
#else
        const uint32_t log2_bytes = (uint32_t)__builtin_ctz(denied->bytes);
        set_region(i, denied->address, (log2_bytes - 1) << 1 | ENABLE);
#endif
    }
    MPU->control = BACKGROUND_MAP | ENABLE;
    barrier();
}

static void unprotect(void) {
    barrier();
    MPU->control = 0;
    for (uint32_t i = 0; i <= FORBIDDEN; ++i) {
        set_region(i, 0, 0);
    }
    barrier();
}

static uint32_t invoke(const request *call) {
    const uint32_t *a = call->argument;
    const function f = (function)call->function;
    return f(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]);
}

/* A pipe gives what it has: 0 when all has come, another number at its end. */
static int read_all(int32_t file, uint32_t address, uint32_t bytes) {
    while (bytes != 0) {
        const uint32_t left = (uint32_t)semihosting_read(file, (void *)address, bytes);
        if (left >= bytes) {
            return -1;
        }
        address += bytes - left;
        bytes = left;
    }
    return 0;
}

static void write_all(int32_t file, uint32_t address, uint32_t bytes) {
    while (bytes != 0) {
        const uint32_t left = (uint32_t)semihosting_write(file, (const void *)address, bytes);
        if (left >= bytes) {
            semihosting_exit(EXIT_FILE);
        }
        address += bytes - left;
        bytes = left;
    }
}

int main(void) {
    static char line[64];
    static request call;
    if (semihosting_command_line(line, sizeof line) != 0) {
        return EXIT_USAGE;
    }
    char *second = line;
    while (*second != '\0' && *second != ' ') {
        ++second;
    }
    if (*second == '\0') {
        return EXIT_USAGE;
    }
    *second++ = '\0';
    const int32_t requests = semihosting_open(line, SEMIHOSTING_READ_BINARY);
    const int32_t answers = semihosting_open(second, SEMIHOSTING_WRITE_BINARY);
    if (requests < 0 || answers < 0) {
        return EXIT_FILE;
    }
    while (read_all(requests, (uint32_t)&call, sizeof call) == 0 &&
           read_all(requests, call.image.address, call.image.bytes) == 0) {
        protect(&call);
        const uint32_t result = invoke(&call);
        unprotect();
        write_all(answers, (uint32_t)&result, sizeof result);
        write_all(answers, call.image.address, call.image.bytes);
    }
    return EXIT_DONE;
}
