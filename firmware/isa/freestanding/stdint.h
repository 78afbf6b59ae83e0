/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler's own <stdint.h>: gcc's wrapper would look for a C library's. */
#ifndef DYNCP_FREESTANDING_STDINT_H
#define DYNCP_FREESTANDING_STDINT_H

#if defined(__clang__)
#pragma clang system_header /* #include_next is no standard C */
#include_next <stdint.h>
#else
#include <stdint-gcc.h>
#endif

#endif
