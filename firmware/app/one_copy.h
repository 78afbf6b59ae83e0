/* SPDX-License-Identifier: Apache-2.0 */
/* For functions that hold labels: a copy of one would define its labels twice. */
#ifndef DYNCP_APP_ONE_COPY_H
#define DYNCP_APP_ONE_COPY_H

#if defined(__clang__)
#define ONE_COPY __attribute__((noinline))
#else
#define ONE_COPY __attribute__((noinline, noclone))
#endif

#endif
