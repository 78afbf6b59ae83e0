/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU TCG plugin: counts guest instructions and notes the count at marked addresses.
 *
 * Arguments: `marks=HEX:HEX:…`, the marked addresses, and `out=FILE`. Each time that a marked
 * instruction is about to run, FILE gets two uint64: the mark's index and the number of
 * instructions that ran before it. Marks that share an address are noted in the order of the list.
 *
 * QEMU runs guest code in translation blocks: straight lines whose only branch comes last. Adding a
 * block's length when it is entered, and at a mark taking off the part that has yet to run, is
 * exact for every instruction that completes, however QEMU cuts the blocks.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin.h"

int qemu_plugin_version = 1;

static uint64_t count; /* instructions in all blocks entered so far */
static uint64_t *marks;
static size_t mark_count;
static FILE *out;

/* One occurrence of a mark in one translation block; lives as long as QEMU may run the block, that
 * is to the end. */
struct occurrence {
    uint64_t mark;
    uint64_t yet_to_run;
};

static void note(unsigned vcpu, void *data) {
    const struct occurrence *here = data;
    const uint64_t words[2] = {here->mark, count - here->yet_to_run};
    (void)vcpu;
    if (fwrite(words, sizeof words, 1, out) != 1) {
        perror("marks: out");
        exit(EXIT_FAILURE);
    }
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    const size_t length = qemu_plugin_tb_n_insns(tb);
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &count, length);
    for (size_t i = 0; i < length; ++i) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        for (size_t mark = 0; mark < mark_count; ++mark) {
            if (marks[mark] == qemu_plugin_insn_vaddr(insn)) {
                struct occurrence *here = malloc(sizeof *here);
                if (here == NULL) {
                    abort();
                }
                here->mark = mark;
                here->yet_to_run = length - i;
                qemu_plugin_register_vcpu_insn_exec_cb(insn, note, QEMU_PLUGIN_CB_NO_REGS, here);
            }
        }
    }
}

/* In user mode QEMU leaves without flushing files. */
static void finished(qemu_plugin_id_t id, void *data) {
    (void)id;
    (void)data;
    if (fclose(out) != 0) {
        perror("marks: out");
    }
}

static bool read_marks(const char *list) {
    marks = malloc((strlen(list) / 2 + 1) * sizeof *marks);
    if (marks == NULL) {
        return false;
    }
    for (char *end; *list != '\0'; list = end + (*end == ':')) {
        marks[mark_count++] = strtoull(list, &end, 16);
        if (end == list || (*end != ':' && *end != '\0')) {
            return false;
        }
    }
    return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; ++i) {
        if (strncmp(argv[i], "marks=", 6) == 0) {
            if (!read_marks(argv[i] + 6)) {
                fprintf(stderr, "marks: not a list of addresses: %s\n", argv[i]);
                return -1;
            }
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(argv[i] + 4, "wb");
        }
    }
    if (marks == NULL || out == NULL) {
        fprintf(stderr, "marks: needs marks=HEX:HEX:… and out=FILE that can be written\n");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finished, NULL);
    return 0;
}
