/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enhances a WAV file (16 kHz, mono, 16 bit) with a generated library, and prints once a second
 * what the signals say. Plain C99; build it with `make -C examples` or by hand:
 *
 *   gcc -std=c99 -O3 -I my-firmware/dyncp my-firmware/dyncp/dyncp.c examples/enhance.c -o enhance
 *   ./enhance noisy.wav enhanced.wav
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "dyncp.h"

enum { HEADER_BYTES = 44, HOPS_PER_LINE = DYNCP_SAMPLE_RATE / DYNCP_HOP };

/* The caller owns the state. It may be static, on the stack or in any RAM that you choose. */
static dyncp_state state;

static int fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    return 1;
}

/* Nonzero if the call succeeded. */
static int succeeded(dyncp_status status) {
    if (status != DYNCP_OK) {
        fprintf(stderr, "dyncp: %s\n", dyncp_status_text(status));
    }
    return status == DYNCP_OK;
}

static uint32_t little_endian(const uint8_t *bytes, int count) {
    uint32_t value = 0;
    for (int i = count - 1; i >= 0; --i) {
        value = value << 8 | bytes[i];
    }
    return value;
}

/* Reads up to the samples; returns how many there are, or -1 if the file has another format. */
static long find_samples(FILE *file) {
    uint8_t head[12], chunk[8], format[16] = {0};
    if (fread(head, 1, 12, file) != 12 || memcmp(head, "RIFF", 4) || memcmp(head + 8, "WAVE", 4)) {
        return -1;
    }
    while (fread(chunk, 1, 8, file) == 8) {
        const uint32_t bytes = little_endian(chunk + 4, 4);
        if (memcmp(chunk, "data", 4) == 0) {
            const int right = little_endian(format + 2, 2) == 1 &&
                              little_endian(format + 4, 4) == DYNCP_SAMPLE_RATE &&
                              little_endian(format + 14, 2) == 16;
            return right ? (long)(bytes / 2) : -1;
        }
        long rest = (long)(bytes + (bytes & 1u)); /* chunks are padded to even lengths */
        if (memcmp(chunk, "fmt ", 4) == 0 && bytes >= 16) {
            if (fread(format, 1, 16, file) != 16) {
                return -1;
            }
            rest -= 16;
        }
        if (fseek(file, rest, SEEK_CUR) != 0) {
            return -1;
        }
    }
    return -1;
}

static void put(uint8_t *to, uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
        to[i] = (uint8_t)(value >> 8 * i);
    }
}

static int write_header(FILE *file, uint32_t samples) {
    uint8_t header[HEADER_BYTES] = "RIFF....WAVEfmt ";
    put(header + 4, HEADER_BYTES - 8 + 2 * samples, 4);
    put(header + 16, 16, 4);
    put(header + 20, 1, 2);                     /* PCM */
    put(header + 22, 1, 2);                     /* channels */
    put(header + 24, DYNCP_SAMPLE_RATE, 4);     /* frames a second */
    put(header + 28, 2 * DYNCP_SAMPLE_RATE, 4); /* bytes a second */
    put(header + 32, 2, 2);                     /* bytes a frame */
    put(header + 34, 16, 2);                    /* bits */
    memcpy(header + 36, "data", 4);
    put(header + 40, 2 * samples, 4);
    return fwrite(header, 1, HEADER_BYTES, file) == HEADER_BYTES;
}

/* Up to one hop of samples; what the file does not fill is silence. Returns how many it filled. */
static long read_hop(FILE *file, long left, int16_t samples[DYNCP_HOP]) {
    uint8_t bytes[2 * DYNCP_HOP] = {0};
    const size_t wanted = left < DYNCP_HOP ? (size_t)left : DYNCP_HOP;
    const size_t got = fread(bytes, 2, wanted, file);
    for (int i = 0; i < DYNCP_HOP; ++i) {
        samples[i] = (int16_t)little_endian(bytes + 2 * i, 2);
    }
    return (long)got;
}

static int write_samples(FILE *file, const int16_t *samples, long count) {
    uint8_t bytes[2 * DYNCP_HOP];
    for (long i = 0; i < count; ++i) {
        put(bytes + 2 * i, (uint16_t)samples[i], 2);
    }
    return fwrite(bytes, 2, (size_t)count, file) == (size_t)count;
}

/* A library has the signals that its probes were fitted for: each is there if its macro is. */
static void print_signals(long hop, const dyncp_signals *signals) {
    printf("%5.1f s  %6lu MACs", (double)hop / HOPS_PER_LINE, (unsigned long)signals->macs);
#ifdef DYNCP_VAD_Q
    printf("  %s", signals->vad ? "speech" : "pause ");
#endif
#ifdef DYNCP_SNR_IN_Q
    if (signals->snr_in_valid) { /* the value counts in units of 2^-Q dB */
        printf("  SNR %5.1f dB", (double)signals->snr_in / (1 << DYNCP_SNR_IN_Q));
    }
#endif
    printf("\n");
}

static int enhance(FILE *in, FILE *out, long samples) {
    if (!succeeded(dyncp_init(&state)) || !write_header(out, (uint32_t)samples)) {
        return 0;
    }
    /* The output lags by DYNCP_DELAY samples, which is one hop: one hop more brings the end, and
     * the first one is dropped. */
    for (long hop = 0, left = samples, owed = samples; owed > 0; ++hop) {
        int16_t audio[DYNCP_HOP];
        dyncp_signals signals;
        left -= read_hop(in, left, audio);
        if (!succeeded(dyncp_process(&state, audio, audio, &signals))) { /* in place */
            return 0;
        }
        if (hop % HOPS_PER_LINE == HOPS_PER_LINE - 1) {
            print_signals(hop + 1, &signals);
        }
        if (hop > 0) {
            const long count = owed < DYNCP_HOP ? owed : DYNCP_HOP;
            if (!write_samples(out, audio, count)) {
                return 0;
            }
            owed -= count;
        }
    }
    return 1;
}

int main(int count, char **words) {
    if (count != 3) {
        return fail("usage", "enhance IN.wav OUT.wav");
    }
    FILE *in = fopen(words[1], "rb");
    if (in == NULL) {
        return fail(words[1], "cannot be opened");
    }
    const long samples = find_samples(in);
    if (samples < 0) {
        fclose(in);
        return fail(words[1], DYNCP_SAMPLE_RATE == 16000 ? "is no WAV file of 16 kHz, mono, 16 bit"
                                                         : "is no WAV file of 8 kHz, mono, 16 bit");
    }
    FILE *out = fopen(words[2], "wb");
    if (out == NULL) {
        fclose(in);
        return fail(words[2], "cannot be written");
    }
    const int done = enhance(in, out, samples);
    fclose(in);
    return fclose(out) == 0 && done ? 0 : fail(words[2], "cannot be enhanced or written");
}
