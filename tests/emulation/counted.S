/* SPDX-License-Identifier: Apache-2.0 */
/* A program whose instructions can be counted by hand between its marks. */
    .syntax unified
    .thumb
    .text

    .globl main
    .type main, %function
main:
    push {r4, lr}
    movw r0, #1000
counted_loop:           /* 1000 iterations of 2 */
1:  subs r0, #1
    bne 1b
counted_line:           /* 2000 in a straight line, longer than any translation block */
    .rept 2000
    nop
    .endr
counted_calls:          /* 1, then 10 iterations of 9 with a call each */
    movs r4, #10
2:  bl callee
    cmp r4, #5
    ite eq
    moveq r1, #1        /* a predicated instruction counts, whether it acts or not */
    movne r1, #2
    subs r4, #1
    bne 2b
counted_end:
    movs r0, #0
    pop {r4, pc}

    .type callee, %function
callee:
    adds r3, #1
counted_inside:         /* passed 10 times, 9 instructions apart, in the middle of a block */
    bx lr
