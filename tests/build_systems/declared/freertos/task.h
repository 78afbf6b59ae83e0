/* SPDX-License-Identifier: Apache-2.0 */
/* What the examples take of it, as freertos.org describes it: to compile, not to run. */
typedef struct tskTaskControlBlock *TaskHandle_t;
typedef enum { eNoAction, eSetBits, eIncrement, eSetValueWithOverwrite } eNotifyAction;
void vTaskDelay(const TickType_t ticks);
void vTaskDelete(TaskHandle_t task);
void vTaskStartScheduler(void);
BaseType_t xTaskCreate(void (*code)(void *), const char *const name, const uint16_t stack,
                       void *const parameters, UBaseType_t priority, TaskHandle_t *const created);
BaseType_t xTaskNotifyFromISR(TaskHandle_t task, uint32_t value, eNotifyAction action,
                              BaseType_t *woken);
BaseType_t xTaskNotifyWait(uint32_t clear_on_entry, uint32_t clear_on_exit, uint32_t *value,
                           TickType_t ticks);
void app_main(void);
