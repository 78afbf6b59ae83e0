// SPDX-License-Identifier: Apache-2.0
//
// Enhances raw audio (16 kHz, mono, 16 bit little endian) from standard input to standard output
// with a generated library, and says on standard error where speech begins and ends. C++11; the
// library itself is C. Build it with `make -C examples` or by hand:
//
//   gcc -std=c99 -O3 -c my-firmware/dyncp/dyncp.c
//   g++ -std=c++11 -O3 -I my-firmware/dyncp examples/enhance.cpp dyncp.o -o enhance
//   ffmpeg -i talk.mp3 -ar 16000 -ac 1 -f s16le - | ./enhance > enhanced.pcm

#include <array>
#include <cstdint>
#include <exception>
#include <iostream>
#include <stdexcept>

#include "dyncp.h"

namespace {

using Block = std::array<std::int16_t, DYNCP_HOP>;

/// One audio stream. Streams share nothing, so that each may run in a thread of its own.
class Enhancer {
  public:
    Enhancer() {
        check(dyncp_init(&state_));
    }

    /// Limits the load of every following frame, for example while the battery is low. By block,
    /// which all networks allow; a cap of the frame is for those whose gates decide in every frame.
    void limit_macs(std::uint32_t per_frame) {
        const std::uint32_t channels =
            per_frame < DYNCP_MACS_MIN ? 0 : (per_frame - DYNCP_MACS_MIN) / DYNCP_MACS_CHANNEL;
        check(dyncp_set_cap(&state_, channels / DYNCP_BLOCKS, DYNCP_BLOCKS * DYNCP_GATES));
    }

    /// Enhances a block in place; the output lags the input by DYNCP_DELAY samples.
    dyncp_signals process(Block &block) {
        dyncp_signals signals;
        check(dyncp_process(&state_, block.data(), block.data(), &signals));
        return signals;
    }

  private:
    static void check(dyncp_status status) {
        if (status != DYNCP_OK) {
            throw std::runtime_error(dyncp_status_text(status));
        }
    }

    dyncp_state state_;
};

bool read(std::istream &in, Block &block) {
    std::array<unsigned char, 2 * DYNCP_HOP> bytes;
    if (!in.read(reinterpret_cast<char *>(bytes.data()), bytes.size())) {
        return false; // a hop that the input does not fill is left out
    }
    for (std::size_t i = 0; i < block.size(); ++i) {
        block[i] = static_cast<std::int16_t>(bytes[2 * i] | bytes[2 * i + 1] << 8);
    }
    return true;
}

void write(std::ostream &out, const Block &block) {
    std::array<char, 2 * DYNCP_HOP> bytes;
    for (std::size_t i = 0; i < block.size(); ++i) {
        bytes[2 * i] = static_cast<char>(block[i] & 0xFF);
        bytes[2 * i + 1] = static_cast<char>(block[i] >> 8);
    }
    out.write(bytes.data(), bytes.size());
}

/// Says when the signal `vad` changes; a library without that signal says nothing.
class SpeechLog {
  public:
    void note(long hop, const dyncp_signals &signals) {
#ifdef DYNCP_VAD_Q
        const bool speaks = signals.vad != 0;
        if (speaks != spoke_) {
            std::cerr << static_cast<double>(hop) * DYNCP_HOP / DYNCP_SAMPLE_RATE << " s: speech "
                      << (speaks ? "begins" : "ends") << '\n';
        }
        spoke_ = speaks;
#else
        (void)hop;
        (void)signals;
#endif
    }

  private:
    bool spoke_ = false;
};

} // namespace

int main(int count, char **words) {
    try {
        Enhancer enhancer;
        if (count > 1) {
            enhancer.limit_macs(static_cast<std::uint32_t>(std::stoul(words[1])));
        }
        SpeechLog log;
        Block block;
        for (long hop = 0; read(std::cin, block); ++hop) {
            log.note(hop, enhancer.process(block));
            write(std::cout, block);
        }
        std::cout.flush();
        return std::cout ? 0 : 1;
    } catch (const std::exception &error) {
        std::cerr << "error: " << error.what() << '\n';
        return 1;
    }
}
