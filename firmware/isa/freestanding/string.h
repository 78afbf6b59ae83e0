/* SPDX-License-Identifier: Apache-2.0 */
/* What the library and compilers ask of <string.h>, for toolchains without a C library. */
#ifndef DYNCP_FREESTANDING_STRING_H
#define DYNCP_FREESTANDING_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
size_t strlen(const char *text);

#endif
