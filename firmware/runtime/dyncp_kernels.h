/* SPDX-License-Identifier: Apache-2.0 */
/* The network's kernels, as fast as the core that is compiled for allows: one set of prototypes,
 * one arithmetic. Section numbers refer to docs/arithmetic.md.
 *
 * A kernel returns the multiply-accumulates that it did. What a mask bit switches off is not read.
 * `work` is DCP_WORK(columns) words, of no meaning before and after.
 * With DYNCP_PORTABLE defined, plain C is taken on every core. */
#ifndef DYNCP_KERNELS_H
#define DYNCP_KERNELS_H

#include "dyncp_layers.h"

#if DCP_HELIUM
#include "dyncp_helium.h"
#elif DCP_DSP
#include "dyncp_dsp.h"
#else
#include "dyncp_portable.h"
#endif

#endif
