/* SPDX-License-Identifier: Apache-2.0 */
/* A program whose instructions can be counted by hand between its marks. */
    .text
    .globl main
main:
    li t0, 1000
counted_loop:           /* 1000 iterations of 2 */
    addi t0, t0, -1
    bnez t0, counted_loop
counted_line:           /* 500 of two sizes in a straight line */
    .rept 250
    nop
    .option push
    .option norvc
    nop
    .option pop
    .endr
counted_end:
    li a0, 0
    ret
