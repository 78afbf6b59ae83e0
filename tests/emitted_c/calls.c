/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that must fail, and how: prints the line of each check that does not hold. Compiled with
 * two libraries, `dyncp` and `other`. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "dyncp_private.h"
#include "other.h"

static dyncp_state state, second;
static union {
    dyncp_state own;
    other_state foreign;
    dyncp_internals inside;
} shared;

static dyncp_internals *inside(dyncp_state *of) {
    return (dyncp_internals *)of;
}

static void fill(int16_t *pcm) {
    for (int n = 0; n < DYNCP_HOP; n++) {
        pcm[n] = (int16_t)((n * n * 37) % 20011 - 10000);
    }
}

int main(void) {
    int16_t in[DYNCP_HOP], out[DYNCP_HOP], both[DYNCP_HOP];
    dyncp_signals signals;
    fill(in);

    CHECK(dyncp_init(NULL) == DYNCP_ERROR_NULL);
    CHECK(dyncp_masks(NULL) == NULL);
    CHECK(dyncp_probe_words(NULL) == NULL);
    CHECK(dyncp_signal_words(NULL) == NULL);

    CHECK(dyncp_process(&state, in, out, NULL) == DYNCP_ERROR_UNINITIALIZED);
    memset(&state, 0xa5, sizeof state);
    CHECK(dyncp_process(&state, in, out, NULL) == DYNCP_ERROR_UNINITIALIZED);

    CHECK(dyncp_init(&state) == DYNCP_OK);
    CHECK(dyncp_process(NULL, in, out, NULL) == DYNCP_ERROR_NULL);
    CHECK(dyncp_process(&state, NULL, out, NULL) == DYNCP_ERROR_NULL);
    CHECK(dyncp_process(&state, in, NULL, NULL) == DYNCP_ERROR_NULL);

    CHECK(other_init(&shared.foreign) == OTHER_OK);
    CHECK(dyncp_process(&shared.own, in, out, NULL) == DYNCP_ERROR_VERSION);
    CHECK(dyncp_init(&shared.own) == DYNCP_OK);
    shared.inside.version += 1;
    CHECK(dyncp_process(&shared.own, in, out, NULL) == DYNCP_ERROR_VERSION);
    CHECK(dyncp_init(&shared.own) == DYNCP_OK);
    shared.inside.probes.set += 1;
    CHECK(dyncp_process(&shared.own, in, out, NULL) == DYNCP_ERROR_VERSION);

    CHECK(dyncp_set_cap(NULL, 1, 1) == DYNCP_ERROR_NULL);
    memset(&second, 0, sizeof second);
    CHECK(dyncp_set_cap(&second, 1, 1) == DYNCP_ERROR_UNINITIALIZED);
    CHECK(dyncp_set_cap(&shared.own, 1, 1) == DYNCP_ERROR_VERSION);
    CHECK(shared.inside.block_cap == DYNCP_BLOCK_CAP && shared.inside.frame_cap == DYNCP_FRAME_CAP);

    /* The dearest frame is what the header says. */
    CHECK(dyncp_init(&state) == DYNCP_OK);
    for (uint32_t cap = 0; cap < 4; cap++) {
        CHECK(dyncp_set_cap(&state, DYNCP_GATES, cap) == DYNCP_OK);
        CHECK(dyncp_process(&state, in, out, &signals) == DYNCP_OK);
        CHECK(signals.active == cap);
        CHECK(signals.macs == DYNCP_MACS_MIN + DYNCP_MACS_CHANNEL * cap);
    }
    CHECK(dyncp_init(&state) == DYNCP_OK);
    CHECK(inside(&state)->block_cap == DYNCP_BLOCK_CAP);
    CHECK(inside(&state)->frame_cap == DYNCP_FRAME_CAP);

    /* In place, and with signals, the same as not. */
    CHECK(dyncp_init(&state) == DYNCP_OK);
    CHECK(dyncp_init(&second) == DYNCP_OK);
    for (int frame = 0; frame < 5; frame++) {
        memcpy(both, in, sizeof both);
        CHECK(dyncp_process(&state, in, out, NULL) == DYNCP_OK);
        CHECK(dyncp_process(&second, both, both, &signals) == DYNCP_OK);
        CHECK(memcmp(out, both, sizeof out) == 0);
    }
    CHECK(memcmp(&state, &second, sizeof state - DYNCP_SCRATCH_BYTES) == 0);

    /* What scratch holds between calls does not matter. */
    memset(&inside(&second)->scratch, 0xff, DYNCP_SCRATCH_BYTES);
    CHECK(dyncp_process(&state, in, out, NULL) == DYNCP_OK);
    CHECK(dyncp_process(&second, in, both, NULL) == DYNCP_OK);
    CHECK(memcmp(out, both, sizeof out) == 0);

    CHECK(strcmp(dyncp_status_text(DYNCP_OK), "no error") == 0);
    CHECK(strcmp(dyncp_status_text(DYNCP_ERROR_NULL), "an argument is NULL") == 0);
    CHECK(strstr(dyncp_status_text(DYNCP_ERROR_UNINITIALIZED), "never initialized") != NULL);
    CHECK(strstr(dyncp_status_text(DYNCP_ERROR_VERSION), "another version") != NULL);
    CHECK(strcmp(dyncp_status_text((dyncp_status)99), "unknown status") == 0);

    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", DYNCP_VERSION_MAJOR, DYNCP_VERSION_MINOR,
             DYNCP_VERSION_PATCH);
    CHECK(strcmp(dyncp_version(), version) == 0);
    CHECK(strcmp(strchr(DYNCP_GENERATOR, ' ') + 1, version) == 0);
    return failures != 0;
}
