/* SPDX-License-Identifier: Apache-2.0 */
/* As freertos.org describes it: to compile, not to run. */
#include <stdint.h>
typedef uint32_t TickType_t;
