/* SPDX-License-Identifier: Apache-2.0 */
/* Zephyr's kernel.h, of which the sample takes nothing but its presence. */
