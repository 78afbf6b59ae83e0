/* SPDX-License-Identifier: Apache-2.0 */
/* What clang calls of its own runtime library, which Debian lacks for Hexagon. */

#include <stdint.h>
#include <string.h>

uint32_t __hexagon_udivsi3(uint32_t dividend, uint32_t divisor);
void *__hexagon_memcpy_likely_aligned_min32bytes_mult8bytes(void *to, const void *from,
                                                            uint32_t bytes);

uint32_t __hexagon_udivsi3(uint32_t dividend, uint32_t divisor) {
    uint32_t quotient = 0, remainder = 0;
    for (int bit = 31; bit >= 0; --bit) {
        remainder = (remainder << 1) | ((dividend >> bit) & 1u);
        if (remainder >= divisor) {
            remainder -= divisor;
            quotient |= 1u << bit;
        }
    }
    return quotient;
}

void *__hexagon_memcpy_likely_aligned_min32bytes_mult8bytes(void *to, const void *from,
                                                            uint32_t bytes) {
    /* Of a number that is not known, so that memcpy is called and not this. */
    __asm__("" : "+r"(bytes));
    return memcpy(to, from, bytes);
}
