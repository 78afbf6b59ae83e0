/* SPDX-License-Identifier: Apache-2.0 */
/* Raw samples from one file to another, through the library of user.c. */
#include <stdint.h>
#include <stdio.h>

int enhance(int16_t pcm[256]);

int main(int count, char *words[]) {
    int16_t pcm[256];
    FILE *in = count == 3 ? fopen(words[1], "rb") : NULL;
    FILE *out = in ? fopen(words[2], "wb") : NULL;
    if (!out) {
        return 1;
    }
    while (fread(pcm, sizeof pcm, 1, in) == 1) {
        if (enhance(pcm) || fwrite(pcm, sizeof pcm, 1, out) != 1) {
            return 1;
        }
    }
    return fclose(out);
}
