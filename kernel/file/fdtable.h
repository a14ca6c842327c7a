/*
 * File descriptors of a process. To look one up is constant time; the lowest free number is found by bitmaps, one bit a
 * descriptor and one bit a word of those, so that neither grows with how many are open.
 *
 * A lookup has to make sure that the file stays although another thread may close the descriptor meanwhile: it takes a
 * reference under the table's lock, about 20 instructions. A thread that is alone with its table needs none of that, because
 * only itself could close anything: fdtable_borrow.
 */
#ifndef KERNEL_FILE_FDTABLE_H
#define KERNEL_FILE_FDTABLE_H

#include "kernel/file/file.h"

#define FDTABLE_SIZE_MAX (1u << 20) /* Linux's fs.nr_open */
#define FDTABLE_SMALL 64

/* The fields are fdtable.c's, but for fdtable_borrow. */
struct fdtable {
	struct spinlock lock; /* covers the rest but refs; innermost. Not taken by interrupt handlers. */
	uint32_t refs;	      /* atomic */
	unsigned size;	      /* slots of files, a multiple of 64; only grows */
	struct file **files;
	uint64_t *open, *cloexec; /* a bit for each slot */
	uint64_t *full;		  /* a bit for each word of open: it is all ones */
	unsigned limit;
	unsigned lowest; /* all below are open */
	struct file *small_files[FDTABLE_SMALL];
	uint64_t small_bits[3];
};

/* LIMIT: RLIMIT_NOFILE, may change by fdtable_limit_set. 0, -ENOMEM. */
int fdtable_create(struct fdtable **out, unsigned limit);
static inline void fdtable_get(struct fdtable *table)
{
	__atomic_fetch_add(&table->refs, 1, __ATOMIC_RELAXED);
}
/* Closes all when it was the last reference. Threads only. */
void fdtable_put(struct fdtable *table);
void fdtable_limit_set(struct fdtable *table, unsigned limit);

/* The file of FD with a reference (file_put); NULL: -EBADF. O_PATH ones too: callers that read or write refuse them. */
struct file *fdtable_file(struct fdtable *table, unsigned fd);

struct fd_ref {
	struct file *file; /* NULL: -EBADF */
	bool counted;	   /* there is a reference to give back */
};

/*
 * The same for the time of one system call. ALONE: the calling thread is the only one of its process, and TABLE is its
 * process's; then there is nobody who could close FD, and nothing is counted. Until fd_ref_put the caller does not close
 * descriptors of TABLE itself.
 */
static inline struct fd_ref fdtable_borrow(struct fdtable *table, unsigned fd, bool alone)
{
	if (likely(alone && table->refs == 1))
		return (struct fd_ref){ likely(fd < table->size) ? table->files[fd] : NULL, false };
	return (struct fd_ref){ fdtable_file(table, fd), true };
}

static inline void fd_ref_put(struct fd_ref ref)
{
	if (unlikely(ref.counted))
		file_put(ref.file);
}

enum { FD_CLOEXEC_FLAG = 1 };
/* The lowest free number from FROM on gets FILE, whose reference it takes over if it succeeds. The number; -EMFILE, -ENOMEM. */
int fdtable_install(struct fdtable *table, struct file *file, unsigned from, unsigned fd_flags);
/* Exactly at FD, closing what was there (dup2). FD; -EBADF when FD is not below the limit, -ENOMEM. */
int fdtable_install_at(struct fdtable *table, struct file *file, unsigned fd, unsigned fd_flags);
/* 0, -EBADF. */
int fdtable_close(struct fdtable *table, unsigned fd);
/* Those of [FIRST, LAST] that are open; CLOEXEC_ONLY: only marks them (close_range(2)). 0, -EINVAL. */
int fdtable_close_range(struct fdtable *table, unsigned first, unsigned last, bool cloexec_only);
/* Closes those that are marked: execve(2). */
void fdtable_close_marked(struct fdtable *table);
int fdtable_flags(struct fdtable *table, unsigned fd); /* -EBADF */
int fdtable_flags_set(struct fdtable *table, unsigned fd, unsigned fd_flags);
/* The first open number from FD on, -1 when there is none: /proc/PID/fd. */
int fdtable_next(struct fdtable *table, unsigned fd);

#endif
