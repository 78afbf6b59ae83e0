/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the self-test of a generated library under an emulator with semihosting; what does not hold
 * ends it with a message and a status. */
#include "dyncp.h"
#include "semihosting.h"

static dyncp_state state;

int main(void) {
    __asm__ volatile("tables_begin:" ::: "memory");
    dyncp_status status = dyncp_check_tables();
    __asm__ volatile("tables_end:" ::: "memory");
    if (status == DYNCP_OK) {
        __asm__ volatile("selftest_begin:" ::: "memory");
        status = dyncp_selftest(&state);
        __asm__ volatile("selftest_end:" ::: "memory");
    }
    if (status != DYNCP_OK) {
        semihosting_print(dyncp_status_text(status));
        return EXIT_LIBRARY;
    }
    return EXIT_DONE;
}
