/* SPDX-License-Identifier: Apache-2.0 */
/* A loop over 40 bytes of constants, run twice between its marks. */
    .syntax unified
    .thumb
    .text

    .globl main
    .type main, %function
main:
    push {r4, lr}
    bl marked
    bl marked
    bl crossing
    movs r0, #0
    pop {r4, pc}

    .balign 4
    .type marked, %function
marked:
    nop.w
known_begin:
    movw r0, #:lower16:known_table
    movw r2, #10
known_loop:
    ldr r1, [r0], #4
    subs r2, #1
    bne known_loop
known_end:
    bx lr

    /* Its second instruction lies on both sides of a page of QEMU's. */
    .balign 1024
    .space 1020
    .type crossing, %function
crossing:
    nop
    nop.w
crossing_end:
    bx lr

    .section .rodata
    .balign 16
known_table:
    .rept 40
    .word 0
    .endr
