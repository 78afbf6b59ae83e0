/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a generated library on corrupted states, for dyncp.firmware.proof.corruption: under the
 * sanitizers, an access outside the state, `in` and `out` or an undefined operation ends it.
 *
 * Arguments: how many frames follow a corruption, how many states of random bytes to try, and how
 * many bits to flip at most. A state that has heard noise is taken with each of its bits flipped in
 * turn, or one in so many, an odd number, that all places in a word have their turn; then frames,
 * single steps and calls of dyncp_follow on states of random bytes, behind the words that say whose
 * they are. Standard output gets five numbers: bits, those flipped, flips that dyncp_process
 * refused, flips that changed its output, and random states. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dyncp.h"

enum { WARM_FRAMES = 8, LONGEST = 64 };

static uint32_t noise_state = 1;

static uint32_t noise(void) {
    noise_state = noise_state * 1664525u + 1013904223u;
    return noise_state >> 16;
}

static void fill(int16_t *pcm, size_t count) {
    for (size_t n = 0; n < count; n++) {
        pcm[n] = (int16_t)((int32_t)noise() - 32768);
    }
}

static void *allocate(size_t bytes) {
    void *memory = malloc(bytes);
    if (memory == NULL) {
        exit(EXIT_FAILURE);
    }
    return memory;
}

/* All on the heap, where the sanitizers see their limits. */
typedef struct {
    dyncp_state *sound, *state;
    int16_t *in, *out, *expected;
    size_t frames;
} trial;

/* Processes the frames from `state`; returns the status of the last one. */
static dyncp_status hear(const trial *t, int16_t *out) {
    dyncp_status status = DYNCP_OK;
    for (size_t frame = 0; frame < t->frames; frame++) {
        dyncp_signals signals;
        status =
            dyncp_process(t->state, t->in + frame * DYNCP_HOP, out + frame * DYNCP_HOP, &signals);
    }
    return status;
}

static void flip_bits(const trial *t, size_t most) {
    const size_t bytes = t->frames * DYNCP_HOP * sizeof *t->out, bits = 8 * sizeof *t->state;
    const size_t apart = bits <= most ? 1 : bits / most + 1 + bits / most % 2;
    unsigned long flipped = 0, refused = 0, changed = 0;
    memcpy(t->state, t->sound, sizeof *t->state);
    hear(t, t->expected);
    for (size_t bit = 0; bit < bits; bit += apart, flipped++) {
        memcpy(t->state, t->sound, sizeof *t->state);
        ((unsigned char *)t->state)[bit / 8] ^= (unsigned char)(1u << bit % 8);
        if (hear(t, t->out) != DYNCP_OK) {
            refused++;
        } else if (memcmp(t->out, t->expected, bytes) != 0) {
            changed++;
        }
    }
    printf("%lu %lu %lu %lu ", (unsigned long)bits, flipped, refused, changed);
}

/* Random bytes, but for those that are `held`. */
static void randomize(const trial *t, const unsigned char *held) {
    unsigned char *bytes = (unsigned char *)t->state;
    for (size_t n = 0; n < sizeof *t->state; n++) {
        bytes[n] = held[n] ? ((const unsigned char *)t->sound)[n] : (unsigned char)noise();
    }
}

/* The other calls that work on a frame, each on a state of its own. */
static void try_other_calls(const trial *t, const unsigned char *held) {
    dyncp_follower follower;
    for (size_t byte = 0; byte < sizeof follower; byte++) {
        ((unsigned char *)&follower)[byte] = (unsigned char)noise();
    }
    randomize(t, held);
    if (dyncp_follow(t->state, &follower, t->in, t->out) != DYNCP_OK) {
        exit(EXIT_FAILURE);
    }
#ifdef DYNCP_STEPS
    /* Between steps, the work space is alive. */
    for (uint32_t step = 0; step < DYNCP_STEPS; step++) {
        randomize(t, held);
        if (dyncp_step(t->state, step, t->out, NULL) != DYNCP_OK) {
            exit(EXIT_FAILURE);
        }
    }
#endif
}

static void try_random_states(const trial *t, unsigned long count) {
    /* The bytes that say whose a state is: another value of one is refused. */
    unsigned char *held = (unsigned char *)allocate(sizeof *t->state);
    for (size_t n = 0; n < sizeof *t->state; n++) {
        memcpy(t->state, t->sound, sizeof *t->state);
        ((unsigned char *)t->state)[n] ^= 1u;
        held[n] = dyncp_set_cap(t->state, DYNCP_GATES, DYNCP_GATES) != DYNCP_OK;
    }
    for (unsigned long n = 0; n < count; n++) {
        randomize(t, held);
        if (hear(t, t->out) != DYNCP_OK) {
            exit(EXIT_FAILURE);
        }
        try_other_calls(t, held);
    }
    free(held);
    printf("%lu\n", count);
}

int main(int count, char **arguments) {
    const unsigned long frames = count == 4 ? strtoul(arguments[1], NULL, 10) : 0;
    const unsigned long most_bits = count == 4 ? strtoul(arguments[3], NULL, 10) : 0;
    const size_t samples = frames * DYNCP_HOP;
    if (frames == 0 || frames > LONGEST || most_bits == 0) {
        return EXIT_FAILURE;
    }
    trial t;
    t.sound = (dyncp_state *)allocate(sizeof *t.sound);
    t.state = (dyncp_state *)allocate(sizeof *t.state);
    t.in = (int16_t *)allocate(samples * sizeof *t.in);
    t.out = (int16_t *)allocate(samples * sizeof *t.out);
    t.expected = (int16_t *)allocate(samples * sizeof *t.expected);
    t.frames = frames;

    dyncp_init(t.sound);
    for (int frame = 0; frame < WARM_FRAMES; frame++) {
        fill(t.in, DYNCP_HOP);
        if (dyncp_process(t.sound, t.in, t.out, NULL) != DYNCP_OK) {
            return EXIT_FAILURE;
        }
    }
    fill(t.in, samples);
    flip_bits(&t, most_bits);
    try_random_states(&t, strtoul(arguments[2], NULL, 10));
    free(t.expected);
    free(t.out);
    free(t.in);
    free(t.state);
    free(t.sound);
    return EXIT_SUCCESS;
}
