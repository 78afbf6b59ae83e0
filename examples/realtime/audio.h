/* SPDX-License-Identifier: Apache-2.0 */
/* Two halves of a circular DMA buffer in each direction, as every vendor's library has them: while
 * the DMA is at one half, the program has 16 ms for the other. */
#ifndef AUDIO_H
#define AUDIO_H

#include "dyncp.h"

extern int16_t received[2][DYNCP_HOP], sent[2][DYNCP_HOP];

/* Starts both transfers; `filled` is called in the interrupt, with the half that is at rest now. */
void audio_start(void (*filled)(int half));

/* Sleeps until the next interrupt. Returns 0 where there will be none, which no real one says. */
int audio_wait(void);

#endif
