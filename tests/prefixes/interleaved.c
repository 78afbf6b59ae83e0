/* SPDX-License-Identifier: Apache-2.0 */
/* Two models in one program. Reads PCM from stdin; writes, frame by frame, the output and the masks
 * of `first`, then those of `second`, each of which hears every frame; `second` has two streams, of
 * which one hears silence. */
#include <stdio.h>

#include "first.h"
#include "second.h"

static first_state first;
static second_state second, silent;

int main(void) {
    static const int16_t silence[SECOND_HOP];
    int16_t in[FIRST_HOP], out[FIRST_HOP];
    first_init(&first);
    second_init(&second);
    second_init(&silent);
    while (fread(in, sizeof in, 1, stdin) == 1) {
        first_process(&first, in, out, NULL);
        fwrite(out, sizeof out, 1, stdout);
        fwrite(first_masks(&first), 4, FIRST_MASK_WORDS, stdout);
        second_process(&silent, silence, out, NULL);
        second_process(&second, in, out, NULL);
        fwrite(out, sizeof out, 1, stdout);
        fwrite(second_masks(&second), 4, SECOND_MASK_WORDS, stdout);
    }
    return 0;
}
