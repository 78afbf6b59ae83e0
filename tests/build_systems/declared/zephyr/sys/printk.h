/* SPDX-License-Identifier: Apache-2.0 */
/* As docs.zephyrproject.org describes it: to compile, not to run. */
__attribute__((format(printf, 1, 2))) void printk(const char *format, ...);
