/* SPDX-License-Identifier: Apache-2.0 */
/* How a layer's integers lie in memory. */
#ifndef DYNCP_LAYERS_H
#define DYNCP_LAYERS_H

#include "dyncp_runtime.h"

/* Constants and work space that kernels read by words, or by vectors. */
#if defined(__GNUC__)
#define DCP_ALIGNED __attribute__((aligned(8)))
#else
#define DCP_ALIGNED
#endif

/* A kernel that all blocks share one copy of, if they use it at all. */
#if defined(__GNUC__)
#define DCP_KERNEL DYNCP_ONCE __attribute__((unused)) static
#else
#define DCP_KERNEL static
#endif

/* Whether dyncp_kernels.h takes the kernels of dyncp_helium.h: where the core has vectors of
 * integers. DYNCP_PORTABLE and DYNCP_DSP take others on any core. */
#if !defined(DYNCP_PORTABLE) && !defined(DYNCP_DSP) && defined(__GNUC__) &&                        \
    defined(__ARM_FEATURE_MVE)
#define DCP_HELIUM (__ARM_FEATURE_MVE & 1)
#else
#define DCP_HELIUM 0
#endif

/* A layer's integers. Every row of weights is padded with zeros to a multiple of four bytes, so
 * that each starts at a word: a dense layer has weight[rows][dcp_padded(columns)], but where
 * dcp_project_columns takes it; a depthwise one has weight[3][dcp_padded(rows)], tap by tap. */
typedef struct {
    const int8_t *weight;      /* aligned as DCP_ALIGNED */
    const int32_t *bias;       /* [rows]; NULL in a layer without */
    const int32_t *multiplier; /* [rows]; NULL in a layer without */
    size_t rows, columns;
} dcp_layer;

static inline size_t dcp_padded(size_t count) {
    return (count + 3) & ~(size_t)3;
}

/* Words of work space that a kernel of a layer with so many columns takes. */
#define DCP_WORK(columns) (((columns) + 3) / 4 * 2)

#endif
