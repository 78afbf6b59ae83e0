/* SPDX-License-Identifier: Apache-2.0 */
/* The HAL of an emulated board, on files of the host: microphone.pcm and headphones.pcm of raw
 * samples, and button.bin, a byte for each block, if there is one. */

#include "hal.h"
#include "semihosting.h"

static int32_t microphone, headphones, button;

int hal_init(void) {
    microphone = semihosting_open("microphone.pcm", SEMIHOSTING_READ_BINARY);
    headphones = semihosting_open("headphones.pcm", SEMIHOSTING_WRITE_BINARY);
    button = semihosting_open("button.bin", SEMIHOSTING_READ_BINARY);
    return microphone < 0 || headphones < 0;
}

int hal_read_block(int16_t pcm[HAL_BLOCK]) {
    return semihosting_read(microphone, pcm, HAL_BLOCK * sizeof *pcm) == 0;
}

void hal_write_block(const int16_t pcm[HAL_BLOCK]) {
    if (semihosting_write(headphones, pcm, HAL_BLOCK * sizeof *pcm) != 0) {
        semihosting_exit(EXIT_FILE);
    }
}

int hal_button(void) {
    unsigned char held = 0;
    return button >= 0 && semihosting_read(button, &held, sizeof held) == 0 && held;
}
