/* SPDX-License-Identifier: Apache-2.0 */
/* As freertos.org describes it: to compile, not to run. */
void vTaskDelay(const TickType_t ticks);
void app_main(void);
