/* SPDX-License-Identifier: Apache-2.0 */
/* A filter that is pruned must not be read: here each filter is a page of its own, and reading a
 * pruned one faults. The argument `broken` withdraws the page of an active filter, to show that the
 * trap works. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "dyncp_kernels.h"

enum { FILTERS = 40, PAGE = 4096 };

static const uint32_t mask[2] = {0x00ff0ff5u, 0x00000021u};

int main(int count, char **arguments) {
    static int8_t x[PAGE];
    static int16_t residual[PAGE];
    static uint32_t work[DCP_WORK(PAGE)];
    static int32_t sum[PAGE], bias[PAGE], multiplier[PAGE];
    static int8_t y[FILTERS];
    int8_t *weight =
        mmap(NULL, FILTERS * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (weight == MAP_FAILED) {
        return 2;
    }
    /* Zeros that the compiler cannot foresee: it may leave out what makes no difference, reads
     * included. */
    memset(x, count > 9, sizeof x);
    const int broken = count > 1 && strcmp(arguments[1], "broken") == 0;
    for (size_t f = 0; f < FILTERS; f++) {
        if (!dcp_is_active(mask, f) || (broken && f == 9)) {
            mprotect(weight + f * PAGE, PAGE, PROT_NONE);
        }
    }
    const dcp_layer rows = {weight, bias, multiplier, FILTERS, PAGE};
    const dcp_layer transposed = {weight, bias, multiplier, PAGE, FILTERS};
    uint32_t macs = dcp_project_rows(&rows, mask, x, work, residual);
    macs += dcp_expand_gated(&rows, mask, x, work, y);
    macs += dcp_project_columns(&transposed, mask, x, sum, residual);
    long total = 0;
    for (size_t i = 0; i < PAGE; i++) {
        total += residual[i] + (i < FILTERS ? y[i] : 0);
    }
    printf("%u %ld\n", (unsigned)macs, total);
    return 0;
}
