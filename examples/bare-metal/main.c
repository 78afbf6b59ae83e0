/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Cortex-M4 without an operating system: audio comes in hops of 16 ms, is enhanced and goes out.
 * Start-up code and linker script are those of the emulated boards (firmware/isa/cortex-m);
 * `make -C examples run-bare-metal` builds it and runs it in QEMU.
 *
 * On hardware, replace `microphone` and `speaker` by the two halves of your DMA buffers; here they
 * are files of int16 samples on the host, which semihosting reads and writes.
 */

#include <stddef.h>
#include <stdint.h>

#include "dyncp.h"
#include "semihosting.h"

static dyncp_state state; /* in .bss: DYNCP_STATE_BYTES of RAM, known at compile time */

__attribute__((noreturn)) static void fail(const char *message) {
    semihosting_print(message);
    semihosting_exit(EXIT_LIBRARY);
}

static int32_t open_file(const char *path, uint32_t mode) {
    const int32_t file = semihosting_open(path, mode);
    if (file < 0) {
        fail("a file cannot be opened\n");
    }
    return file;
}

/* Nonzero as long as there is a whole hop. */
static int microphone(int32_t file, int16_t samples[DYNCP_HOP]) {
    return semihosting_read(file, samples, DYNCP_HOP * sizeof *samples) == 0;
}

static void speaker(int32_t file, const int16_t samples[DYNCP_HOP]) {
    if (semihosting_write(file, samples, DYNCP_HOP * sizeof *samples) != 0) {
        fail("the output cannot be written\n");
    }
}

static void print_count(const char *what, uint32_t count) {
    semihosting_print(what);
    semihosting_print_hex(count);
    semihosting_print("\n");
}

int main(void) {
    const int32_t in = open_file("in.pcm", SEMIHOSTING_READ_BINARY);
    const int32_t out = open_file("out.pcm", SEMIHOSTING_WRITE_BINARY);
    uint32_t frames = 0, speech = 0, most_macs = 0;
    int16_t samples[DYNCP_HOP];

    if (dyncp_init(&state) != DYNCP_OK) {
        fail("dyncp_init failed\n");
    }
    while (microphone(in, samples)) {
        dyncp_signals signals;
        if (dyncp_process(&state, samples, samples, &signals) != DYNCP_OK) {
            fail("dyncp_process failed\n");
        }
        speaker(out, samples);
        frames += 1;
        most_macs = signals.macs > most_macs ? signals.macs : most_macs;
#ifdef DYNCP_VAD_Q
        speech += signals.vad; /* here a product wakes its recogniser, or sleeps */
#endif
    }
    semihosting_print("dyncp ");
    semihosting_print(dyncp_version());
    semihosting_print("\n");
    print_count("frames ", frames);
    print_count("with speech ", speech);
    print_count("most MACs ", most_macs);
    return semihosting_close(out) == 0 ? EXIT_DONE : EXIT_FILE;
}
