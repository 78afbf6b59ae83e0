/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of a test program, which prints the line of each that does not hold and returns
 * `failures != 0`. */
#ifndef DYNCP_TESTS_CHECK_H
#define DYNCP_TESTS_CHECK_H

#include <stdio.h>

static int failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("line %d: " #condition "\n", __LINE__);                                         \
            failures += 1;                                                                         \
        }                                                                                          \
    } while (0)

#endif
