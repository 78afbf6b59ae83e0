/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DYNCP_ISA_LINUX_H
#define DYNCP_ISA_LINUX_H

/* The program's argument vector behind its name, ended by NULL. */
extern const char *const *linux_arguments;

#endif
