/* SPDX-License-Identifier: Apache-2.0 */
/* Every call of a generated library on a state of unknown bits, for Frama-C's Eva
 * (firmware/static/eva.py): whatever frames came before, and whatever became of the memory since,
 * the state is one of those. What holds here holds for every frame of any PCM. Includes the
 * library, for its functions are to be seen. */
#include "dyncp.c"

#include "__fc_builtin.h"

static dyncp_state state;
static dyncp_follower follower;
static dyncp_signals signals;
static dyncp_settings settings;
static int16_t in[DYNCP_HOP], out[DYNCP_HOP];

static void anything(void) {
    Frama_C_make_unknown((char *)&state, sizeof state);
    Frama_C_make_unknown((char *)&follower, sizeof follower);
    Frama_C_make_unknown((char *)in, sizeof in);
}

static uint32_t any_word(void) {
    return (uint32_t)Frama_C_interval(INT32_MIN, INT32_MAX);
}

static void prove_frame(void) {
    anything();
    (void)dyncp_process(&state, in, out, &signals);
    anything();
    (void)dyncp_process(&state, in, in, NULL);
    anything();
    (void)dyncp_follow(&state, &follower, in, out);
}

/* Between the steps of a frame, its work space lives in the state. */
static void prove_steps(void) {
    /*@ loop unroll DYNCP_STEPS + 1; */
    for (uint32_t step = 0; step <= DYNCP_STEPS; step++) {
        anything();
        (void)dyncp_step(&state, step, in, &signals);
    }
}

static void prove_settings(void) {
    anything();
    (void)dyncp_set_cap(&state, any_word(), any_word());
    (void)dyncp_set_limit(&state, any_word());
    (void)dyncp_set_strength(&state, any_word());
    (void)dyncp_set_bypass(&state, (int)any_word());
    (void)dyncp_set_smoothing(&state, any_word(), any_word());
    (void)dyncp_set_decision(&state, any_word(), (int32_t)any_word(), any_word());
    (void)dyncp_set_vad(&state, (int32_t)any_word(), any_word());
    (void)dyncp_get_settings(&state, &settings);
}

/* What they return points into the state. */
static void prove_views(void) {
    anything();
    uint32_t sum = dyncp_masks(&state)[DYNCP_MASK_WORDS - 1] + dyncp_gains(&state)[0];
    sum += (uint32_t)dyncp_probe_words(&state)[DYNCP_PROBE_OUTPUTS - 1];
    sum += (uint32_t)dyncp_signal_words(&state)[DYNCP_PROBE_OUTPUTS - 1];
    (void)sum;
    (void)dyncp_init(&state);
}

int main(void) {
    prove_frame();
    prove_steps();
    prove_settings();
    prove_views();
    return 0;
}
