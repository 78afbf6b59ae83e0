/* SPDX-License-Identifier: Apache-2.0 */
/* What the application needs of a board. Audio is one channel of int16 at 16 kHz, in blocks of
 * HAL_BLOCK samples: what is read is what was recorded while the block before was written. */
#ifndef HAL_H
#define HAL_H

#include <stdint.h>

enum { HAL_BLOCK = 256 };

/* Starts clocks, codec and DMA. 0 when audio flows. */
int hal_init(void);

/* Waits for the next block of the microphone. 0 where no more will come, which no real one says. */
int hal_read_block(int16_t pcm[HAL_BLOCK]);

/* Hands a block to the headphones, and returns before it is played. */
void hal_write_block(const int16_t pcm[HAL_BLOCK]);

/* Whether the button is held down, 0 or 1, without bouncing. A board without one says 0. */
int hal_button(void);

#endif
