/* SPDX-License-Identifier: Apache-2.0 */
/* What libFuzzer runs of a generated library, for dyncp.firmware.proof.fuzz: one of three readings
 * of its bytes, FUZZ_PCM, FUZZ_STATE or FUZZ_CALLS. State and audio are on the heap, where the
 * sanitizers see their limits. */
#include <stdlib.h>
#include <string.h>

#include "dyncp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PCM_BYTES = 2 * DYNCP_HOP, MOST_CALLS = 24 };

typedef struct {
    dyncp_state *state[2];
    int16_t *in, *out;
} heap;

static void *allocate(size_t bytes) {
    void *memory = calloc(1, bytes);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static heap allocate_all(void) {
    heap h;
    h.state[0] = (dyncp_state *)allocate(sizeof *h.state[0]);
    h.state[1] = (dyncp_state *)allocate(sizeof *h.state[1]);
    h.in = (int16_t *)allocate(PCM_BYTES);
    h.out = (int16_t *)allocate(PCM_BYTES);
    return h;
}

static void free_all(heap h) {
    free(h.state[0]);
    free(h.state[1]);
    free(h.in);
    free(h.out);
}

/* Takes up to `bytes` of the input; zeros stand for what is missing. */
static void take(const uint8_t **data, size_t *size, void *to, size_t bytes) {
    const size_t some = *size < bytes ? *size : bytes;
    memset(to, 0, bytes);
    if (some > 0) {
        memcpy(to, *data, some);
    }
    *data += some;
    *size -= some;
}

#if defined(FUZZ_PCM)
/* Frames of audio; every call must succeed. */
static void run(heap h, const uint8_t *data, size_t size) {
    dyncp_signals signals;
    dyncp_init(h.state[0]);
    while (size > 0) {
        take(&data, &size, h.in, PCM_BYTES);
        if (dyncp_process(h.state[0], h.in, h.out, &signals) != DYNCP_OK) {
            abort();
        }
    }
}
#elif defined(FUZZ_STATE)
/* The bytes of a state from some offset on, over a fresh one; then two frames. */
static void run(heap h, const uint8_t *data, size_t size) {
    uint16_t at = 0;
    dyncp_init(h.state[0]);
    take(&data, &size, &at, sizeof at);
    const size_t first = at % sizeof *h.state[0], room = sizeof *h.state[0] - first;
    if (size > 0) {
        memcpy(h.state[0]->bytes + first, data, size < room ? size : room);
    }
    for (int frame = 0; frame < 2; frame++) {
        dyncp_signals signals;
        (void)dyncp_process(h.state[0], h.in, h.out, &signals);
    }
}
#else
/* A byte a call: which function, and which arguments are NULL. Two states, of zeros at first. */
static void run(heap h, const uint8_t *data, size_t size) {
    uint32_t cap[2];
    dyncp_signals signals;
    for (int call = 0; call < MOST_CALLS && size > 0; call++) {
        uint8_t what = 0;
        take(&data, &size, &what, 1);
        dyncp_state *state = what & 8 ? NULL : h.state[what >> 7];
        switch (what & 7) {
        case 0:
            (void)dyncp_init(state);
            break;
        case 1:
            take(&data, &size, cap, sizeof cap);
            (void)dyncp_set_cap(state, cap[0], cap[1]);
            break;
        case 2:
            (void)dyncp_masks(state);
            (void)dyncp_probe_words(state);
            (void)dyncp_signal_words(state);
            break;
        case 3:
            (void)dyncp_status_text((dyncp_status)(what >> 4));
            break;
        default:
            take(&data, &size, h.in, 16);
            (void)dyncp_process(state, what & 16 ? NULL : h.in, what & 32 ? h.in : h.out,
                                what & 64 ? NULL : &signals);
            break;
        }
    }
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const heap h = allocate_all();
    run(h, data, size);
    free_all(h);
    return 0;
}
