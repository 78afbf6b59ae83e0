/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU TCG plugin: how often each guest instruction ran between two marks, how often the flow of
 * control left its straight line behind it, and how often its data came from a new line of flash.
 *
 * Arguments: `begin=HEX` and `end=HEX`, the marked addresses (the instruction at `begin` counts,
 * that at `end` does not); `flash=HEX:HEX`, the first address of the constants and the one after
 * them; `out=FILE`, which at the exit gets four uint64 for each instruction that ran: address,
 * executions, departures, lines.
 *
 * Flash is read through 8 lines of 16 bytes, the longest unused of which makes room: a read of none
 * of them counts as a line.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin.h"

#define BUCKETS 4096
#define LINES 8
#define LINE_BYTES 16
#define PAGE 1024

int qemu_plugin_version = 1;

/* Executions, departures and lines of one instruction. */
enum { RAN, LEFT, LINE, EVENTS };

struct entry {
    struct entry *next; /* of its bucket */
    uint64_t address;
    uint64_t now[EVENTS];   /* since the start */
    uint64_t since[EVENTS]; /* at the last `begin` */
    uint64_t sum[EVENTS];   /* between the marks */
};

struct block {
    uint64_t first;
    uint64_t following; /* the address behind it */
    struct entry *last;
};

static struct entry *buckets[BUCKETS];
static const struct block *previous;
static uint64_t lines[LINES];
static uint64_t begin, end, flash_first, flash_end;
static FILE *out;

static void *allocated(size_t bytes) {
    void *memory = calloc(1, bytes);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static struct entry *find(uint64_t address) {
    struct entry **bucket = &buckets[address / 2 % BUCKETS];
    for (struct entry *entry = *bucket; entry != NULL; entry = entry->next) {
        if (entry->address == address) {
            return entry;
        }
    }
    struct entry *entry = allocated(sizeof *entry);
    entry->next = *bucket;
    entry->address = address;
    *bucket = entry;
    return entry;
}

/* Where the next instruction of 32 bits crosses into the next page, QEMU looks at its first half
 * and gives the last instruction before it two bytes too many. */
static int goes_straight(const struct block *from, uint64_t to) {
    return from->following == to || (from->following % PAGE == 0 && from->following - 2 == to);
}

static void entered(unsigned vcpu, void *data) {
    const struct block *block = data;
    (void)vcpu;
    if (previous != NULL && !goes_straight(previous, block->first)) {
        previous->last->now[LEFT] += 1;
    }
    previous = block;
}

static void accessed(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
    struct entry *entry = data;
    (void)vcpu;
    (void)info;
    if (address < flash_first || address >= flash_end) {
        return;
    }
    const uint64_t line = address / LINE_BYTES;
    size_t at = 0;
    while (at < LINES - 1 && lines[at] != line) {
        at++;
    }
    entry->now[LINE] += lines[at] != line;
    memmove(&lines[1], &lines[0], at * sizeof *lines);
    lines[0] = line;
}

static void begun(unsigned vcpu, void *data) {
    (void)vcpu;
    (void)data;
    for (size_t i = 0; i < BUCKETS; ++i) {
        for (struct entry *entry = buckets[i]; entry != NULL; entry = entry->next) {
            memcpy(entry->since, entry->now, sizeof entry->now);
        }
    }
}

static void ended(unsigned vcpu, void *data) {
    (void)vcpu;
    (void)data;
    for (size_t i = 0; i < BUCKETS; ++i) {
        for (struct entry *entry = buckets[i]; entry != NULL; entry = entry->next) {
            for (size_t event = 0; event < EVENTS; ++event) {
                entry->sum[event] += entry->now[event] - entry->since[event];
            }
        }
    }
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    const size_t length = qemu_plugin_tb_n_insns(tb);
    struct block *block = allocated(sizeof *block);
    (void)id;
    for (size_t i = 0; i < length; ++i) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        struct entry *entry = find(address);
        /* QEMU calls back before it adds in line. */
        if (address == begin) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, begun, QEMU_PLUGIN_CB_NO_REGS, NULL);
        }
        if (address == end) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, ended, QEMU_PLUGIN_CB_NO_REGS, NULL);
        }
        qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
                                                   &entry->now[RAN], 1);
        qemu_plugin_register_vcpu_mem_cb(insn, accessed, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
                                         entry);
        block->first = i == 0 ? address : block->first;
        block->following = address + qemu_plugin_insn_size(insn);
        block->last = entry;
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, entered, QEMU_PLUGIN_CB_NO_REGS, block);
}

static void write_sums(qemu_plugin_id_t id, void *data) {
    (void)id;
    (void)data;
    for (size_t i = 0; i < BUCKETS; ++i) {
        for (const struct entry *entry = buckets[i]; entry != NULL; entry = entry->next) {
            if (entry->sum[RAN] > 0 &&
                (fwrite(&entry->address, sizeof entry->address, 1, out) != 1 ||
                 fwrite(entry->sum, sizeof entry->sum, 1, out) != 1)) {
                perror("histogram: out");
            }
        }
    }
    fclose(out);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; ++i) {
        if (strncmp(argv[i], "begin=", 6) == 0) {
            begin = strtoull(argv[i] + 6, NULL, 16);
        } else if (strncmp(argv[i], "end=", 4) == 0) {
            end = strtoull(argv[i] + 4, NULL, 16);
        } else if (strncmp(argv[i], "flash=", 6) == 0) {
            char *colon;
            flash_first = strtoull(argv[i] + 6, &colon, 16);
            flash_end = *colon == ':' ? strtoull(colon + 1, NULL, 16) : 0;
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(argv[i] + 4, "wb");
        }
    }
    if (begin == 0 || end == 0 || flash_end == 0 || out == NULL) {
        fprintf(stderr, "histogram: needs begin=HEX, end=HEX, flash=HEX:HEX and out=FILE\n");
        return -1;
    }
    memset(lines, 0xff, sizeof lines);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, write_sums, NULL);
    return 0;
}
