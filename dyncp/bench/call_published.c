/* SPDX-License-Identifier: Apache-2.0 */
/* Calls one of the routines that dyncp/bench/published_cycles.py compares: PREPARE comes before,
 * CALL stands between the labels. The memory comes from the file in.bin and goes to out.bin. */

#include "semihosting.h"

static struct {
    uint8_t key[32], text[32], round_keys[176], out[32];
} memory __attribute__((aligned(16)));

/* Ko-/aes-armcortexm */
void AES_128_keyschedule(const uint8_t *key, uint8_t *from_first_round);
void AES_128_encrypt(const uint8_t *round_keys, const uint8_t *in, uint8_t *out);
/* jnk0le/cortexm-AES */
void CM3_1T_AES128_keyschedule_enc(uint8_t *round_keys, const uint8_t *key);
void CM3_1T_AES_encrypt(const uint8_t *round_keys, const uint8_t *in, uint8_t *out,
                        uint32_t rounds);
void CM4_DSPsBOX_AES_encrypt(const uint8_t *round_keys, const uint8_t *in, uint8_t *out,
                             uint32_t rounds);
/* Emill/X25519-Cortex-M4 */
void curve25519_scalarmult(uint8_t *out, const uint8_t *scalar, const uint8_t *point);

int main(void) {
    const int32_t in = semihosting_open("in.bin", SEMIHOSTING_READ_BINARY);
    const int32_t out = semihosting_open("out.bin", SEMIHOSTING_WRITE_BINARY);
    if (in < 0 || out < 0 || semihosting_read(in, &memory, sizeof memory) != 0) {
        return EXIT_FILE;
    }
    PREPARE;
    __asm__ volatile("call_begin:" ::: "memory");
    CALL;
    __asm__ volatile("call_end:" ::: "memory");
    return semihosting_write(out, &memory, sizeof memory) == 0 ? EXIT_DONE : EXIT_FILE;
}
