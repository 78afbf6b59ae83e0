/* SPDX-License-Identifier: Apache-2.0 */
/* As docs.espressif.com describes it: to compile, not to run. */
#include <stdint.h>
int64_t esp_timer_get_time(void);
