/* SPDX-License-Identifier: Apache-2.0 */
/* What the examples take of it, as freertos.org describes it: to compile, not to run. */
#include <stddef.h>
#include <stdint.h>
typedef uint32_t TickType_t;
typedef long BaseType_t;
typedef unsigned long UBaseType_t;
#define pdFALSE ((BaseType_t)0)
#define pdTRUE ((BaseType_t)1)
#define pdPASS pdTRUE
#define portMAX_DELAY ((TickType_t)0xffffffffUL)
#define configMAX_PRIORITIES 5
#define portYIELD_FROM_ISR(woken) (void)(woken)
