/*
 * Structures of the system calls on files, as Linux's x86-64 ABI has them: arch/x86/include/uapi/asm/stat.h, statfs.h and
 * include/uapi/linux/stat.h, asm-generic/statfs.h, linux/openat2.h; stat(2), statx(2), statfs(2), getdents(2), openat2(2).
 */
#ifndef KERNEL_LINUX_ABI_FILE_H
#define KERNEL_LINUX_ABI_FILE_H

#include <stdint.h>

#include "kernel/file/abi.h"
#include "kernel/file/abi_event.h"
#include "kernel/linux/abi_time.h"

struct linux_stat {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad;
	uint64_t rdev;
	int64_t size, blksize;
	int64_t blocks; /* of 512 bytes */
	struct linux_timespec atime, mtime, ctime;
	int64_t unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "stat(2)");

struct linux_statx_timestamp {
	int64_t sec;
	uint32_t nsec;
	int32_t reserved;
};

struct linux_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, spare0;
	uint64_t ino, size, blocks, attributes_mask;
	struct linux_statx_timestamp atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id;
	uint32_t dio_mem_align, dio_offset_align;
	uint64_t spare[12];
};
_Static_assert(sizeof(struct linux_statx) == 256, "statx(2)");

struct linux_statfs {
	int64_t type, bsize;
	uint64_t blocks, bfree, bavail, files, ffree;
	int32_t fsid[2];
	int64_t namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "statfs(2)");

/* getdents64(2): records of len bytes each, a multiple of 8. */
struct linux_dirent64 {
	uint64_t ino;
	int64_t off; /* where the next entry begins, for lseek */
	uint16_t len;
	uint8_t type; /* DT_ */
	char name[];
};
_Static_assert(__builtin_offsetof(struct linux_dirent64, name) == 19, "getdents(2)");

/* getdents(2), the old one: the type is the last byte of the record. */
struct linux_dirent {
	uint64_t ino, off;
	uint16_t len;
	char name[];
};
_Static_assert(__builtin_offsetof(struct linux_dirent, name) == 18, "getdents(2)");

struct linux_open_how {
	uint64_t flags, mode, resolve;
};
_Static_assert(sizeof(struct linux_open_how) == 24, "openat2(2)");

struct linux_f_owner_ex {
	int32_t type, pid;
};
#define F_OWNER_TID 0
#define F_OWNER_PID 1
#define F_OWNER_PGRP 2

#endif
