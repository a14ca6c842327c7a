/*
 * What stands under names and files in unit tests: memory from malloc, so that the sanitizers see each object, with the N-th
 * allocation failing on demand; pages; mutexes of one thread; a clock that ticks.
 */
#ifndef TEST_UNIT_VFS_ENV_H
#define TEST_UNIT_VFS_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/file/path.h"

/* Allocations that may still succeed; the one after fails, then all succeed again. SIZE_MAX: all do. */
extern size_t env_fail_after;
extern size_t env_nr_objects, env_nr_pages; /* in use */
extern unsigned env_nr_unmaps;		    /* calls of vm_object_unmap */

/* Reads or writes LEN bytes of FILE at POS; what the call returned. */
ssize_t env_read(struct file *file, void *buf, size_t len, int64_t pos);
ssize_t env_write(struct file *file, const void *buf, size_t len, int64_t pos);

/* A context with "/" on FS, uid 0. */
void env_context(struct fs_context *context, struct file_system *fs);
/* Takes its places back; unmounts "/" is not possible, so drops the cache and puts the root. */
void env_context_done(struct fs_context *context);

#endif
