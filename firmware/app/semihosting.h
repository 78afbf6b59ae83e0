/* SPDX-License-Identifier: Apache-2.0 */
/* Arm semihosting (https://github.com/ARM-software/abi-aa, "Semihosting for AArch32 and AArch64"),
 * which RISC-V has taken over; isa.h has the call itself. */

#ifndef DYNCP_APP_SEMIHOSTING_H
#define DYNCP_APP_SEMIHOSTING_H

#include <stdint.h>

#include "isa.h"

/* Exit statuses of the image; firmware/emulators/emulate.py shows the message that was printed
 * before. */
enum {
    EXIT_DONE = 0,
    EXIT_USAGE = 10,
    EXIT_FILE = 11,
    EXIT_LIBRARY = 12,
    EXIT_TRACE = 13,
    EXIT_STACK = 14,
    EXIT_FAULT = 15
};

/* As wide as a register. */
typedef uintptr_t semihosting_word;

enum { SEMIHOSTING_READ_BINARY = 1, SEMIHOSTING_WRITE_BINARY = 5 };

static inline uint32_t semihosting_length(const char *text) {
    uint32_t length = 0;
    while (text[length] != '\0') {
        ++length;
    }
    return length;
}

/* A handle, or −1. */
static inline int32_t semihosting_open(const char *path, uint32_t mode) {
    const semihosting_word block[3] = {(semihosting_word)path, mode, semihosting_length(path)};
    return semihosting_call(0x01u, block);
}

/* 0 when closed. */
static inline int32_t semihosting_close(int32_t handle) {
    const semihosting_word block[1] = {(semihosting_word)handle};
    return semihosting_call(0x02u, block);
}

/* The number of bytes that were NOT written. */
static inline int32_t semihosting_write(int32_t handle, const void *data, uint32_t bytes) {
    const semihosting_word block[3] = {(semihosting_word)handle, (semihosting_word)data, bytes};
    return semihosting_call(0x05u, block);
}

/* The number of bytes that were NOT read. */
static inline int32_t semihosting_read(int32_t handle, void *data, uint32_t bytes) {
    const semihosting_word block[3] = {(semihosting_word)handle, (semihosting_word)data, bytes};
    return semihosting_call(0x06u, block);
}

/* 0 when `line` holds the command line, zero-terminated. */
static inline int32_t semihosting_command_line(char *line, uint32_t bytes) {
    semihosting_word block[2] = {(semihosting_word)line, bytes};
    return semihosting_call(0x15u, block);
}

static inline void semihosting_print(const char *text) {
    (void)semihosting_call(0x04u, text);
}

static inline void semihosting_print_hex(uint32_t value) {
    char text[11] = "0x00000000";
    for (int i = 9; i > 1; --i) {
        text[i] = "0123456789abcdef"[value & 15u];
        value >>= 4;
    }
    semihosting_print(text);
}

__attribute__((noreturn)) static inline void semihosting_exit(int status) {
    const semihosting_word block[2] = {0x20026u /* ADP_Stopped_ApplicationExit */,
                                       (semihosting_word)status};
    for (;;) {
        (void)semihosting_call(0x20u, block);
    }
}

#endif
