/* SPDX-License-Identifier: Apache-2.0 */
/* What a kernel must not do. */
#include <stddef.h>
#include <stdint.h>

void write_at(volatile int8_t *y, ptrdiff_t where);
void write_at(volatile int8_t *y, ptrdiff_t where) {
    y[where] = 0;
}

int read_at(const volatile int8_t *x, ptrdiff_t where);
int read_at(const volatile int8_t *x, ptrdiff_t where) {
    return x[where];
}

void hang(void);
void hang(void) {
    for (volatile int on = 1; on;) {
    }
}
