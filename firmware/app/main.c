/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams a file of int16 PCM through the generated library, under an emulator with semihosting.
 *
 * Arguments: PCM in, records out, memory figures out and, in a build with DYNCP_TRACE, trace out.
 *   records   one `record` per frame of DYNCP_HOP samples
 *   memory    uint32: bytes of stack below main's frame, DYNCP_STATE_BYTES, DYNCP_SCRATCH_BYTES
 *   trace     the bytes of every stage, in order, APP_TRACE_BYTES per frame
 * A build with DYNCP_TRACE then takes constructed frames, where it is given a fifth path, from the
 * initial state (firmware/constants): for each a hop of PCM, the packed masks that the state holds
 * before it, and APP_GIVEN_BYTES that the first stages go on with, in place of what they computed.
 * A hop that the input does not fill ends the run. Everything unexpected ends it with a message and
 * a status.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dyncp.h"
#include "one_copy.h"
#include "semihosting.h"

typedef struct {
    int16_t output[DYNCP_HOP];
    uint32_t masks[DYNCP_MASK_WORDS];
#if DYNCP_PROBE_OUTPUTS > 0
    int32_t probes[DYNCP_PROBE_OUTPUTS];
    int32_t signals[DYNCP_PROBE_OUTPUTS];
#endif
    uint32_t macs;
    uint32_t active;
} record;

#define PAINT 0x5AFEC0DEu

extern uint32_t stack_bottom[];

static dyncp_state state;

__attribute__((noreturn)) static void fail(int status, const char *message) {
    semihosting_print(message);
    semihosting_print("\n");
    semihosting_exit(status);
}

static void stack_paint(const uint32_t *top) {
    /* Word by word through a volatile: a call to memset would need the stack that is being painted.
     */
    for (volatile uint32_t *word = stack_bottom; word < top; ++word) {
        *word = PAINT;
    }
}

static uint32_t stack_used(const uint32_t *top) {
    const volatile uint32_t *word = stack_bottom;
    if (*word != PAINT) {
        fail(EXIT_STACK, "the stack is too small");
    }
    while (word < top && *word == PAINT) {
        ++word;
    }
    return (uint32_t)((uintptr_t)top - (uintptr_t)word);
}

static void write_all(int32_t file, const void *data, size_t bytes) {
    if (semihosting_write(file, data, (uint32_t)bytes) != 0) {
        fail(EXIT_FILE, "cannot write an output");
    }
}

#ifdef DYNCP_TRACE
/* Stages go straight to their file: the smallest memory holds no frame of them. */
static struct {
    int32_t file;
    size_t written;
    int stage;
} trace;

/* Constructed frames, or -1 while there are none, and how much of each frame's stages they give. */
static int32_t given = -1;
static const size_t given_bytes = APP_GIVEN_BYTES;

static void read_given(void *data, size_t bytes) {
    if (semihosting_read(given, data, (uint32_t)bytes) != 0) {
        fail(EXIT_FILE, "constructed frames are too short");
    }
}

/* A stage that a frame left out is 0; what is given of it is read all the same. */
static void trace_nothing(size_t bytes, int replaces) {
    unsigned char part[64];
    for (size_t left = bytes, step; left > 0; left -= step) {
        step = left < sizeof part ? left : sizeof part;
        if (replaces) {
            read_given(part, step);
        }
        memset(part, 0, step);
        write_all(trace.file, part, step);
    }
}

void dyncp_trace(int stage, const void *data, size_t bytes) {
    if (stage != trace.stage || bytes > APP_TRACE_BYTES - trace.written) {
        fail(EXIT_TRACE, "a trace point is out of order or larger than docs/emitted-c.md says");
    }
    const int replaces = given >= 0 && trace.written < given_bytes;
    if (data == NULL) {
        trace_nothing(bytes, replaces);
    } else {
        write_all(trace.file, data, bytes);
        if (replaces) {
            /* Behind the library's back: all that stages show is the caller's memory. */
            read_given((void *)(uintptr_t)data, bytes);
        }
    }
    trace.written += bytes;
    ++trace.stage;
}
#endif

/* The plugin counts instructions between the two labels, which are no instructions themselves. */
ONE_COPY static dyncp_status process(const int16_t *in, int16_t *out, dyncp_signals *signals) {
    __asm__ volatile("frame_begin:" ::: "memory");
    const dyncp_status status = dyncp_process(&state, in, out, signals);
    __asm__ volatile("frame_end:" ::: "memory");
    return status;
}

static void process_frame(const int16_t *in, int32_t records) {
    static record result;
    dyncp_signals signals;
    if (process(in, result.output, &signals) != DYNCP_OK) {
        fail(EXIT_LIBRARY, "dyncp_process failed");
    }
    memcpy(result.masks, dyncp_masks(&state), sizeof result.masks);
#if DYNCP_PROBE_OUTPUTS > 0
    memcpy(result.probes, dyncp_probe_words(&state), sizeof result.probes);
    memcpy(result.signals, dyncp_signal_words(&state), sizeof result.signals);
#endif
    result.macs = signals.macs;
    result.active = signals.active;
    write_all(records, &result, sizeof result);
#ifdef DYNCP_TRACE
    if (trace.written != APP_TRACE_BYTES) {
        fail(EXIT_TRACE, "a frame has fewer trace points than docs/emitted-c.md says");
    }
    trace.written = 0;
    trace.stage = 0;
#endif
}

static int32_t open_file(const char *path, uint32_t mode) {
    const int32_t file = semihosting_open(path, mode);
    if (file < 0) {
        semihosting_print(path);
        fail(EXIT_FILE, ": cannot be opened");
    }
    return file;
}

#ifdef DYNCP_TRACE
static void process_constructed(const char *path, int16_t *in, int32_t records) {
    given = open_file(path, SEMIHOSTING_READ_BINARY);
    if (dyncp_init(&state) != DYNCP_OK) {
        fail(EXIT_LIBRARY, "dyncp_init failed");
    }
    while (semihosting_read(given, in, DYNCP_HOP * sizeof *in) == 0) {
        read_given((void *)(uintptr_t)dyncp_masks(&state), DYNCP_MASK_WORDS * sizeof(uint32_t));
        process_frame(in, records);
    }
}
#endif

/* Splits the command line at its spaces; the missing arguments stay NULL. */
static void arguments(char *line, const char *words[5]) {
    for (int count = 0; *line != '\0' && count < 5;) {
        words[count++] = line;
        while (*line != '\0' && *line != ' ') {
            ++line;
        }
        if (*line == ' ') {
            *line++ = '\0';
        }
    }
}

int main(void) {
    static char line[256];
    static int16_t in[DYNCP_HOP];
    const char *words[5] = {NULL, NULL, NULL, NULL, NULL};

    if (semihosting_command_line(line, sizeof line) != 0) {
        fail(EXIT_USAGE, "no command line");
    }
    arguments(line, words);
    if (words[2] == NULL) {
        fail(EXIT_USAGE, "needs the paths of PCM in, records out and memory figures out");
    }
    const int32_t pcm = open_file(words[0], SEMIHOSTING_READ_BINARY);
    const int32_t records = open_file(words[1], SEMIHOSTING_WRITE_BINARY);
    const int32_t memory = open_file(words[2], SEMIHOSTING_WRITE_BINARY);
#ifdef DYNCP_TRACE
    if (words[3] == NULL) {
        fail(EXIT_USAGE, "a trace build needs a fourth path, trace out");
    }
    trace.file = open_file(words[3], SEMIHOSTING_WRITE_BINARY);
#endif

    const uint32_t *const top = stack_pointer();
    stack_paint(top);
    if (dyncp_init(&state) != DYNCP_OK) {
        fail(EXIT_LIBRARY, "dyncp_init failed");
    }
    while (semihosting_read(pcm, in, sizeof in) == 0) {
        process_frame(in, records);
    }
#ifdef DYNCP_TRACE
    if (words[4] != NULL) {
        process_constructed(words[4], in, records);
    }
#endif
    const uint32_t figures[3] = {stack_used(top), DYNCP_STATE_BYTES, DYNCP_SCRATCH_BYTES};
    write_all(memory, figures, sizeof figures);
    int unclosed = semihosting_close(records) != 0 || semihosting_close(memory) != 0;
#ifdef DYNCP_TRACE
    unclosed |= semihosting_close(trace.file) != 0;
#endif
    if (unclosed) {
        fail(EXIT_FILE, "cannot close an output");
    }
    return EXIT_DONE;
}
