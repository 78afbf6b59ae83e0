/* SPDX-License-Identifier: Apache-2.0 */
/* What P_stream.h refuses, its delays, and that settings and steps reach the core: prints the line
 * of each check that does not hold. */
#include <string.h>

#include "check.h"
#include "dyncp_stream.h"

static dyncp_stream stream;
static dyncp_state whole, stepped;
static dyncp_resampler resampler[2];
static dyncp_above above[2];
static dyncp_pair pair;

static void check_options(void) {
    dyncp_stream_options options;
    memset(&options, 0, sizeof options);
    CHECK(dyncp_stream_init(NULL, &options) == DYNCP_ERROR_NULL);
    CHECK(dyncp_stream_init(&stream, NULL) == DYNCP_OK);
    CHECK(dyncp_stream_delay(&stream) == DYNCP_STREAM_DELAY && DYNCP_STREAM_DELAY == 512);
    options.even = 1;
    CHECK(dyncp_stream_init(&stream, &options) == DYNCP_OK);
    CHECK(dyncp_stream_delay(&stream) == DYNCP_STREAM_DELAY_EVEN);
    options.above[0] = &above[0];
    CHECK(dyncp_stream_init(&stream, &options) == DYNCP_ERROR_SETTING);
    options.resampler[0] = &resampler[0];
    CHECK(dyncp_stream_init(&stream, &options) == DYNCP_OK);
    CHECK(dyncp_stream_delay(&stream) == DYNCP_STREAM_DELAY_48K_EVEN);
    options.even = 0;
    options.pair = &pair;
    CHECK(dyncp_stream_init(&stream, &options) == DYNCP_ERROR_SETTING);
    options.resampler[1] = &resampler[0];
    CHECK(dyncp_stream_init(&stream, &options) == DYNCP_ERROR_SETTING);
    options.resampler[1] = &resampler[1];
    options.above[1] = &above[0];
    CHECK(dyncp_stream_init(&stream, &options) == DYNCP_ERROR_SETTING);
    options.above[1] = NULL;
    CHECK(dyncp_stream_init(&stream, &options) == DYNCP_OK);
    CHECK(dyncp_stream_delay(&stream) == DYNCP_STREAM_DELAY_48K);
    CHECK(dyncp_stream_delay(NULL) == 0);
}

static void check_calls(void) {
    int16_t pcm[4] = {1, 2, 3, 4};
    CHECK(dyncp_stream_init(&stream, NULL) == DYNCP_OK);
    CHECK(dyncp_stream_int16(NULL, pcm, pcm, 4) == DYNCP_ERROR_NULL);
    CHECK(dyncp_stream_int16(&stream, NULL, pcm, 4) == DYNCP_ERROR_NULL);
    CHECK(dyncp_stream_int16(&stream, pcm, NULL, 4) == DYNCP_ERROR_NULL);
    CHECK(dyncp_stream_int16(&stream, pcm, pcm, 0) == DYNCP_OK);
    CHECK(dyncp_set_limit(&stream.state, 12) == DYNCP_OK);
    CHECK(stream.frames == 0);
    memset(&stream.state, 0, sizeof stream.state);
    CHECK(dyncp_stream_int16(&stream, pcm, pcm, 4) == DYNCP_ERROR_UNINITIALIZED);
}

static void check_steps(void) {
    int16_t pcm[DYNCP_HOP], same[DYNCP_HOP];
    dyncp_signals signals, told;
    dyncp_follower follower;
    memset(&follower, 0, sizeof follower);
    CHECK(dyncp_init(&whole) == DYNCP_OK && dyncp_init(&stepped) == DYNCP_OK);
    for (int frame = 0; frame < 6; frame++) {
        for (int n = 0; n < DYNCP_HOP; n++) {
            pcm[n] = same[n] = (int16_t)((n * n * 37 + frame * 1001) % 20011 - 10000);
        }
        CHECK(dyncp_process(&whole, pcm, pcm, &signals) == DYNCP_OK);
        /* A channel that follows itself is the channel. */
        int16_t followed[DYNCP_HOP];
        memcpy(followed, same, sizeof followed);
        CHECK(dyncp_follow(&whole, &follower, followed, followed) == DYNCP_OK);
        CHECK(memcmp(followed, pcm, sizeof pcm) == 0);
        for (uint32_t step = 0; step < DYNCP_STEPS; step++) {
            CHECK(dyncp_step(&stepped, step, same, &told) == DYNCP_OK);
        }
        CHECK(memcmp(pcm, same, sizeof pcm) == 0);
        CHECK(signals.macs == told.macs && signals.active == told.active);
    }
    CHECK(dyncp_step(&stepped, DYNCP_STEPS, same, &told) == DYNCP_ERROR_SETTING);
    CHECK(dyncp_step(&stepped, 1, NULL, &told) == DYNCP_ERROR_NULL);
    CHECK(dyncp_step(NULL, 1, same, &told) == DYNCP_ERROR_NULL);
    CHECK(dyncp_follow(&whole, NULL, same, same) == DYNCP_ERROR_NULL);
    CHECK(dyncp_follow(&whole, &follower, NULL, same) == DYNCP_ERROR_NULL);
    CHECK(dyncp_follow(NULL, &follower, same, same) == DYNCP_ERROR_NULL);
}

int main(void) {
    check_options();
    check_calls();
    check_steps();
    return failures != 0;
}
