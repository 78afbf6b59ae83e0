/* SPDX-License-Identifier: Apache-2.0 */
/* Stands between a program and the C library (LD_PRELOAD): counts the calls that change files, and
 * at the n-th one kills the process, before or after it, or lets it fail as on a full disk. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long fault_at;   /* 0: none */
static int fault_errno; /* 0: kill */
static long calls;
static int log_to = -1;
static char below[1024];

/* Called by the test: from now on, the n-th call on something below `folder` meets the fault; what
 * is called, on what, and what it was called before, goes to the descriptor `log`, -1 for none:
 * three fields between tabs. */
void faults_arm(const char *folder, long n, int number, int log) {
    (void)snprintf(below, sizeof below, "%s", folder);
    calls = 0;
    fault_at = n;
    fault_errno = number;
    log_to = log;
}

long faults_count(void) {
    return calls;
}

static ssize_t plain_write(int descriptor, const void *data, size_t bytes) {
    static ssize_t (*next)(int, const void *, size_t);
    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "write");
    }
    return next(descriptor, data, bytes);
}

/* Non-zero where the call must fail; errno is set. `from`: what takes the place of `path`. */
static int moves(const char *name, const char *from, const char *path) {
    if ((fault_at == 0 && log_to < 0) || strncmp(path, below, strlen(below)) != 0) {
        return 0;
    }
    ++calls;
    if (log_to >= 0) {
        char line[2400];
        int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", name, path, from);
        if (length > 0) {
            (void)plain_write(log_to, line, strnlen(line, sizeof line));
        }
    }
    if (calls != fault_at) {
        return 0;
    }
    if (fault_errno == 0) {
        (void)kill(getpid(), SIGKILL);
    }
    errno = fault_errno;
    return 1;
}

static int meets(const char *name, const char *path) {
    return moves(name, "", path);
}

/* What a descriptor is open on, for the log. */
static const char *opened(int descriptor) {
    static char name[1024];
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, name, sizeof name - 1);
    name[length < 0 ? 0 : length] = '\0';
    return name;
}

/* Pipes and the like are no part of what is tested. */
static int on_file(int descriptor) {
    struct stat found;
    return (fault_at != 0 || log_to >= 0) && descriptor > 2 && descriptor != log_to &&
           fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode);
}

#define NEXT(type, name, ...)                                                                      \
    static type (*next)(__VA_ARGS__);                                                              \
    if (next == NULL) {                                                                            \
        *(void **)&next = dlsym(RTLD_NEXT, #name);                                                 \
    }

ssize_t write(int descriptor, const void *data, size_t bytes) {
    if (on_file(descriptor) && meets("write", opened(descriptor))) {
        return -1;
    }
    return plain_write(descriptor, data, bytes);
}

ssize_t pwrite64(int descriptor, const void *data, size_t bytes, off64_t offset) {
    NEXT(ssize_t, pwrite64, int, const void *, size_t, off64_t)
    if (on_file(descriptor) && meets("pwrite", opened(descriptor))) {
        return -1;
    }
    return next(descriptor, data, bytes, offset);
}

static int makes(int flags) {
    return (flags & (O_CREAT | O_TRUNC)) != 0;
}

int open64(const char *path, int flags, ...) {
    NEXT(int, open64, const char *, int, ...)
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (makes(flags) && meets("open", path)) {
        return -1;
    }
    return next(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    NEXT(int, open, const char *, int, ...)
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (makes(flags) && meets("open", path)) {
        return -1;
    }
    return next(path, flags, mode);
}

/* Counted, and not done: no power is cut here, and whoever reads sees what was written anyway. */
int fsync(int descriptor) {
    return meets("fsync", opened(descriptor)) ? -1 : 0;
}

int mkdir(const char *path, mode_t mode) {
    NEXT(int, mkdir, const char *, mode_t)
    return meets("mkdir", path) ? -1 : next(path, mode);
}

int rename(const char *from, const char *to) {
    NEXT(int, rename, const char *, const char *)
    return moves("rename", from, to) ? -1 : next(from, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    NEXT(int, renameat2, int, const char *, int, const char *, unsigned)
    return moves("exchange", from, to) ? -1 : next(from_folder, from, to_folder, to, flags);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    NEXT(int, linkat, int, const char *, int, const char *, int)
    return meets("link", to) ? -1 : next(from_folder, from, to_folder, to, flags);
}

int link(const char *from, const char *to) {
    NEXT(int, link, const char *, const char *)
    return meets("link", to) ? -1 : next(from, to);
}

int unlink(const char *path) {
    NEXT(int, unlink, const char *)
    return meets("unlink", path) ? -1 : next(path);
}

int unlinkat(int folder, const char *path, int flags) {
    NEXT(int, unlinkat, int, const char *, int)
    char whole[1400];
    (void)snprintf(whole, sizeof whole, "%s/%s", folder == AT_FDCWD ? "" : opened(folder), path);
    return meets("unlink", folder == AT_FDCWD ? path : whole) ? -1 : next(folder, path, flags);
}

int rmdir(const char *path) {
    NEXT(int, rmdir, const char *)
    return meets("rmdir", path) ? -1 : next(path);
}

int fchmod(int descriptor, mode_t mode) {
    NEXT(int, fchmod, int, mode_t)
    return meets("chmod", opened(descriptor)) ? -1 : next(descriptor, mode);
}

int chmod(const char *path, mode_t mode) {
    NEXT(int, chmod, const char *, mode_t)
    return meets("chmod", path) ? -1 : next(path, mode);
}

int fchown(int descriptor, uid_t user, gid_t group) {
    NEXT(int, fchown, int, uid_t, gid_t)
    return meets("chown", opened(descriptor)) ? -1 : next(descriptor, user, group);
}

int chown(const char *path, uid_t user, gid_t group) {
    NEXT(int, chown, const char *, uid_t, gid_t)
    return meets("chown", path) ? -1 : next(path, user, group);
}
