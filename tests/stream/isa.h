/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of semihosting.h that firmware/app/stream.c makes, on a host with a C library. */
#ifndef DYNCP_TESTS_ISA_H
#define DYNCP_TESTS_ISA_H

#include <stdint.h>
#include <stdio.h>

static inline int32_t semihosting_call(unsigned operation, const void *parameters) {
    static FILE *files[8];
    static int32_t count;
    const uintptr_t *block = (const uintptr_t *)parameters;
    if (operation == 1) {
        files[count] = fopen((const char *)block[0], block[1] == 1 ? "rb" : "wb");
        return files[count] == NULL ? -1 : count++;
    }
    FILE *file = files[block[0] % 8];
    if (operation == 2) {
        return fclose(file);
    }
    const size_t bytes = block[2];
    const size_t done = operation == 5 ? fwrite((const void *)block[1], 1, bytes, file)
                                       : fread((void *)block[1], 1, bytes, file);
    return (int32_t)(bytes - done);
}

#endif
