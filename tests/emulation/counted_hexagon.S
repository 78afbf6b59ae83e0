/* SPDX-License-Identifier: Apache-2.0 */
/* A program whose packets can be counted by hand between its marks. */
    .text
    .globl main
main:
    { r1 = #1000 }
counted_loop:           /* 1000 iterations of 2 packets, 4 instructions */
    { r1 = add(r1, #-1); r2 = add(r2, #1); r3 = add(r3, #1) }
    { p0 = cmp.eq(r1, #0); if (!p0.new) jump:t counted_loop }
counted_line:           /* 500 packets of 1 and 3 in a straight line */
    .rept 250
    { r2 = add(r2, #1) }
    { r2 = add(r2, #1); r3 = add(r3, #1); r4 = add(r4, #1) }
    .endr
counted_end:
    { r0 = #0; jumpr r31 }
