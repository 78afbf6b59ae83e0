/* SPDX-License-Identifier: Apache-2.0 */
/* Streams a file through P_stream.h in blocks of one length, under an emulator with semihosting.
 *
 * stream.cfg has seven words: samples of a block, kind of sample (16, 32, 0 for float), channels of
 * the file, and whether the two are a pair, 48 kHz, even and above. Without a pair each of two
 * channels has its own stream. stream.in goes to stream.out; a block that it does not fill is
 * short. */
#include <string.h>

#include "dyncp_stream.h"
#include "one_copy.h"
#include "semihosting.h"

#ifndef STREAM_LONGEST
#define STREAM_LONGEST 1024
#endif

enum { BLOCK, KIND, CHANNELS, PAIR, WIDE, EVEN, ABOVE, WORDS };

static dyncp_stream streams[2];
static dyncp_pair pair;
static dyncp_resampler resamplers[2];
#ifdef STREAM_ABOVE
static dyncp_above above[2];
#endif
static union {
    int16_t int16[2 * STREAM_LONGEST];
    int32_t int32[2 * STREAM_LONGEST];
    float real[2 * STREAM_LONGEST];
} block;

static dyncp_status prepare(const uint32_t *config) {
    const uint32_t count = config[PAIR] ? 1 : config[CHANNELS];
    dyncp_status status = DYNCP_OK;
    for (uint32_t n = 0; n < count && status == DYNCP_OK; n++) {
        dyncp_stream_options options;
        memset(&options, 0, sizeof options);
        options.even = (int)config[EVEN];
        options.stride = config[CHANNELS];
        options.pair = config[PAIR] ? &pair : NULL;
        options.resampler[0] = config[WIDE] ? &resamplers[n] : NULL;
        options.resampler[1] = config[WIDE] && config[PAIR] ? &resamplers[1] : NULL;
#ifdef STREAM_ABOVE
        options.above[0] = config[ABOVE] ? &above[n] : NULL;
        options.above[1] = config[ABOVE] && config[PAIR] ? &above[1] : NULL;
#endif
        status = dyncp_stream_init(&streams[n], &options);
    }
    return status;
}

/* One channel, or a pair, of the block. */
ONE_COPY static dyncp_status pass(uint32_t channel, uint32_t kind, size_t count) {
    if (kind == 16) {
        int16_t *pcm = block.int16 + channel;
        return dyncp_stream_int16(&streams[channel], pcm, pcm, count);
    }
    if (kind == 32) {
        int32_t *pcm = block.int32 + channel;
        return dyncp_stream_int32(&streams[channel], pcm, pcm, count);
    }
    float *pcm = block.real + channel;
    return dyncp_stream_float(&streams[channel], pcm, pcm, count);
}

/* The plugin counts instructions between the two labels. */
ONE_COPY static dyncp_status counted(uint32_t channel, uint32_t kind, size_t count) {
    __asm__ volatile("pass_begin:" ::: "memory");
    const dyncp_status status = pass(channel, kind, count);
    __asm__ volatile("pass_end:" ::: "memory");
    return status;
}

int main(void) {
    static uint32_t config[WORDS];
    const int32_t settings = semihosting_open("stream.cfg", SEMIHOSTING_READ_BINARY);
    const int32_t in = semihosting_open("stream.in", SEMIHOSTING_READ_BINARY);
    const int32_t out = semihosting_open("stream.out", SEMIHOSTING_WRITE_BINARY);
    if (settings < 0 || in < 0 || out < 0 ||
        semihosting_read(settings, config, sizeof config) != 0 || config[CHANNELS] > 2 ||
        config[BLOCK] > STREAM_LONGEST) {
        return EXIT_USAGE;
    }
    if (prepare(config) != DYNCP_OK) {
        return EXIT_LIBRARY;
    }
    const uint32_t sample = config[CHANNELS] * (config[KIND] == 16 ? 2 : 4);
    const uint32_t bytes = config[BLOCK] * sample;
    for (uint32_t got = bytes; got == bytes;) {
        got = bytes - (uint32_t)semihosting_read(in, &block, bytes);
        for (uint32_t n = 0; n < (config[PAIR] ? 1 : config[CHANNELS]); n++) {
            if (counted(n, config[KIND], got / sample) != DYNCP_OK) {
                return EXIT_LIBRARY;
            }
        }
        if (semihosting_write(out, &block, got) != 0) {
            return EXIT_FILE;
        }
    }
    return semihosting_close(out) == 0 ? EXIT_DONE : EXIT_FILE;
}
