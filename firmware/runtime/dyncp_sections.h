/* SPDX-License-Identifier: Apache-2.0 */
/* Where the linker puts things (docs/placement.md). The build may define, as names of sections:
 *   DYNCP_WEIGHTS_SECTION   weights and biases of the network and its probes: most of the flash
 *   DYNCP_TABLES_SECTION    window, twiddles and other tables of the front end, read all over
 *   DYNCP_CODE_SECTION      what runs in every frame
 *   DYNCP_STATE_SECTION     what is declared DYNCP_IN_STATE: states, which are the caller's
 * What has no name stays where the compiler puts it, and the machine code is the same with names
 * and without. */
#ifndef DYNCP_SECTIONS_H
#define DYNCP_SECTIONS_H

#if defined(__GNUC__)
#define DCP_SECTION(name) __attribute__((section(name)))
#elif defined(DYNCP_WEIGHTS_SECTION) || defined(DYNCP_TABLES_SECTION) ||                           \
    defined(DYNCP_CODE_SECTION) || defined(DYNCP_STATE_SECTION)
#error "sections need the attributes of gcc, clang or a compiler made of it"
#endif

#if defined(DYNCP_WEIGHTS_SECTION)
#define DCP_IN_WEIGHTS DCP_SECTION(DYNCP_WEIGHTS_SECTION)
#else
#define DCP_IN_WEIGHTS
#endif

#if defined(DYNCP_TABLES_SECTION)
#define DCP_IN_TABLES DCP_SECTION(DYNCP_TABLES_SECTION)
#else
#define DCP_IN_TABLES
#endif

#if defined(DYNCP_CODE_SECTION)
#define DCP_IN_CODE DCP_SECTION(DYNCP_CODE_SECTION)
#else
#define DCP_IN_CODE
#endif

#if defined(DYNCP_STATE_SECTION)
#define DYNCP_IN_STATE DCP_SECTION(DYNCP_STATE_SECTION)
#else
#define DYNCP_IN_STATE
#endif

#endif
