/* SPDX-License-Identifier: Apache-2.0 */
/* Runs whole recordings through a generated library, for dyncp.firmware.host.library. Compiled
 * together with it as -DBRIDGE_PREFIX=dyncp -DBRIDGE_MACROS=DYNCP
 * -DBRIDGE_HEADER='"dyncp_private.h"'
 * [-DDYNCP_TRACE] */
#include BRIDGE_HEADER

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Words of the settings before those of decisions. */
enum { BRIDGE_GAIN_SETTINGS = 5 };

#define PASTE(a, b) PASTE_EXPANDED(a, b)
#define PASTE_EXPANDED(a, b) a##_##b
#define NAME(name) PASTE(BRIDGE_PREFIX, name)
#define CONSTANT(name) PASTE(BRIDGE_MACROS, name)

size_t bridge_state_bytes(void);
int bridge_init(void *state);
int bridge_set_cap(void *state, uint32_t per_block, uint32_t per_frame);
int bridge_set(void *state, const int32_t *words);
int bridge_get(const void *state, int32_t *words);
size_t bridge_gains(const void *state, uint16_t *gains);
void bridge_decisions(const void *state, uint32_t *told);
int bridge_run(void *state, size_t frames, const int16_t *in, int16_t *out, uint32_t *masks,
               int32_t *words, int32_t *signals, uint32_t *macs, uint32_t *active,
               unsigned char *trace, const unsigned char *given, size_t given_bytes);

#ifdef DYNCP_TRACE
/* Where the next stage goes: the trace of a run is the stages of all its frames, one after the
 * other. */
static __thread unsigned char *trace_cursor;

/* What the next stages of this frame go on with, in place of what they computed, while it lasts. */
static __thread const unsigned char *given_cursor;
static __thread size_t given_left;

void NAME(trace)(int stage, const void *data, size_t bytes);

void NAME(trace)(int stage, const void *data, size_t bytes) {
    (void)stage;
    if (trace_cursor != NULL) {
        if (data == NULL) {
            memset(trace_cursor, 0, bytes);
        } else {
            memcpy(trace_cursor, data, bytes);
        }
        trace_cursor += bytes;
    }
    if (given_left > 0) {
        if (data != NULL) {
            /* Behind the library's back: all that stages show is the caller's memory. */
            memcpy((void *)(uintptr_t)data, given_cursor, bytes);
        }
        given_cursor += bytes;
        given_left -= bytes;
    }
}
#endif

size_t bridge_state_bytes(void) {
    return sizeof(NAME(state));
}

int bridge_init(void *state) {
    return (int)NAME(init)((NAME(state) *)state);
}

int bridge_set_cap(void *state, uint32_t per_block, uint32_t per_frame) {
    return (int)NAME(set_cap)((NAME(state) *)state, per_block, per_frame);
}

/* The settings in the order of dyncp.export.integers.controls.Settings, level and hangover of each
 * decision included. Returns the status of the first that is refused. */
int bridge_set(void *state, const int32_t *words) {
    NAME(state) *stream = (NAME(state) *)state;
    NAME(status) status = NAME(set_limit)(stream, (uint32_t)words[0]);
    if (status == CONSTANT(OK)) {
        status = NAME(set_strength)(stream, (uint32_t)words[1]);
    }
    if (status == CONSTANT(OK)) {
        status = NAME(set_bypass)(stream, words[2]);
    }
    if (status == CONSTANT(OK)) {
        status = NAME(set_smoothing)(stream, (uint32_t)words[3], (uint32_t)words[4]);
    }
    words += BRIDGE_GAIN_SETTINGS;
    for (uint32_t n = 0; n < CONSTANT(DECISIONS) && status == CONSTANT(OK); n++, words += 2) {
        status = NAME(set_decision)(stream, n, words[0], (uint32_t)words[1]);
    }
    return (int)status;
}

int bridge_get(const void *state, int32_t *words) {
    NAME(settings) now;
    const NAME(status) status = NAME(get_settings)((const NAME(state) *)state, &now);
    if (status == CONSTANT(OK)) {
        words[0] = (int32_t)now.limit;
        words[1] = (int32_t)now.strength;
        words[2] = (int32_t)now.bypass;
        words[3] = (int32_t)now.attack;
        words[4] = (int32_t)now.release;
        for (size_t n = 0; n < CONSTANT(DECISIONS); n++) {
            words[BRIDGE_GAIN_SETTINGS + 2 * n] = now.decisions[n].level;
            words[BRIDGE_GAIN_SETTINGS + 2 * n + 1] = (int32_t)now.decisions[n].hangover;
        }
    }
    return (int)status;
}

/* Returns how many there are; `gains` may be NULL. */
size_t bridge_gains(const void *state, uint16_t *gains) {
    if (gains != NULL) {
        memcpy(gains, NAME(gains)((const NAME(state) *)state), CONSTANT(GAINS) * sizeof *gains);
    }
    return CONSTANT(GAINS);
}

/* What was decided in the last frame, DECISIONS words. */
void bridge_decisions(const void *state, uint32_t *told) {
#if CONSTANT(DECISIONS) > 0
    for (size_t n = 0; n < CONSTANT(DECISIONS); n++) {
        told[n] = ((const NAME(internals) *)state)->probes.decisions[n].told;
    }
#else
    (void)state;
    (void)told;
#endif
}

/* `trace` may be NULL, and so may `given`: constructed frames, of each the packed masks that the
 * state holds before it, and `given_bytes` of stages. Without DYNCP_TRACE both are NULL. Returns
 * the status of the first frame that fails, else that of the last. */
int bridge_run(void *state, size_t frames, const int16_t *in, int16_t *out, uint32_t *masks,
               int32_t *words, int32_t *signals, uint32_t *macs, uint32_t *active,
               unsigned char *trace, const unsigned char *given, size_t given_bytes) {
    NAME(state) *stream = (NAME(state) *)state;
#ifdef DYNCP_TRACE
    trace_cursor = trace;
#else
    (void)trace, (void)given, (void)given_bytes;
#endif
    for (size_t i = 0; i < frames; i++) {
        NAME(signals) told;
#ifdef DYNCP_TRACE
        if (given != NULL) {
            const size_t masks_bytes = CONSTANT(MASK_WORDS) * sizeof *masks;
            memcpy((void *)(uintptr_t)NAME(masks)(stream), given, masks_bytes);
            given_cursor = given + masks_bytes;
            given_left = given_bytes;
            given = given_cursor + given_bytes;
        }
#endif
        const NAME(status) status =
            NAME(process)(stream, in + i * CONSTANT(HOP), out + i * CONSTANT(HOP), &told);
        if (status != CONSTANT(OK)) {
            return (int)status;
        }
        memcpy(masks + i * CONSTANT(MASK_WORDS), NAME(masks)(stream),
               CONSTANT(MASK_WORDS) * sizeof *masks);
        if (CONSTANT(PROBE_OUTPUTS) > 0) {
            memcpy(words + i * CONSTANT(PROBE_OUTPUTS), NAME(probe_words)(stream),
                   CONSTANT(PROBE_OUTPUTS) * sizeof *words);
            memcpy(signals + i * CONSTANT(PROBE_OUTPUTS), NAME(signal_words)(stream),
                   CONSTANT(PROBE_OUTPUTS) * sizeof *signals);
        }
        macs[i] = told.macs;
        active[i] = told.active;
    }
    return (int)CONSTANT(OK);
}
