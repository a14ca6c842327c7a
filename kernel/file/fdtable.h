/*
 * File descriptors of a process. Looking one up takes no lock and is constant time; the lowest free number is found by
 * bitmaps, so that neither grows with how many are open.
 */
#ifndef KERNEL_FILE_FDTABLE_H
#define KERNEL_FILE_FDTABLE_H

#include "kernel/file/file.h"

struct fdtable;

/* LIMIT: RLIMIT_NOFILE, may change by fdtable_limit_set. 0, -ENOMEM. */
int fdtable_create(struct fdtable **out, unsigned limit);
void fdtable_get(struct fdtable *table);
/* Closes all when it was the last reference. */
void fdtable_put(struct fdtable *table);
void fdtable_limit_set(struct fdtable *table, unsigned limit);

/* The file of FD with a reference (file_put); NULL: -EBADF. O_PATH ones too: callers that read or write refuse them. */
struct file *fdtable_file(struct fdtable *table, unsigned fd);

enum { FD_CLOEXEC_FLAG = 1 };
/* The lowest free number from FROM on gets FILE, whose reference it takes over. The number; -EMFILE, -ENOMEM. */
int fdtable_install(struct fdtable *table, struct file *file, unsigned from, unsigned fd_flags);
/* Exactly at FD, closing what was there (dup2). FD; -EBADF when FD is not below the limit, -ENOMEM. */
int fdtable_install_at(struct fdtable *table, struct file *file, unsigned fd, unsigned fd_flags);
/* 0, -EBADF. */
int fdtable_close(struct fdtable *table, unsigned fd);
/* Those of [FIRST, LAST] that are open; CLOEXEC_ONLY: only marks them (close_range(2)). */
int fdtable_close_range(struct fdtable *table, unsigned first, unsigned last, bool cloexec_only);
int fdtable_flags(struct fdtable *table, unsigned fd); /* -EBADF */
int fdtable_flags_set(struct fdtable *table, unsigned fd, unsigned fd_flags);
/* The first open number from FD on, -1 when there is none: /proc/PID/fd. */
int fdtable_next(struct fdtable *table, unsigned fd);

#endif
