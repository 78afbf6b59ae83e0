/* SPDX-License-Identifier: Apache-2.0 */
/* A task of FreeRTOS for the audio, which the DMA's interrupt wakes. What else the product does is
 * in tasks of lower priority. The stack of a task that calls dyncp_process: `dyncp report` tells,
 * and what an interrupt pushes comes on top. */

#include "FreeRTOS.h"
#include "audio.h"
#include "task.h"

enum { STACK_WORDS = 512 };

static TaskHandle_t task;

static void filled(int half) {
    BaseType_t woken = pdFALSE;
    (void)xTaskNotifyFromISR(task, (uint32_t)half, eSetValueWithOverwrite, &woken);
    portYIELD_FROM_ISR(woken);
}

static void enhance(void *unused) {
    static dyncp_state state;
    (void)unused;
    if (dyncp_init(&state) != DYNCP_OK) {
        vTaskDelete(NULL);
    }
    audio_start(filled);
    for (;;) {
        uint32_t half = 0;
        if (xTaskNotifyWait(0, 0, &half, portMAX_DELAY) == pdTRUE) {
            (void)dyncp_process(&state, received[half], sent[half], NULL);
        }
    }
}

int main(void) {
    if (xTaskCreate(enhance, "audio", STACK_WORDS, NULL, configMAX_PRIORITIES - 1, &task) !=
        pdPASS) {
        return 1;
    }
    vTaskStartScheduler();
    return 1; /* it returns where there is no memory for its own tasks */
}
