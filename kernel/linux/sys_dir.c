/* getdents(2), old and new. */
#include "kernel/file/abi.h"
#include "kernel/file/vnode_file.h"
#include "kernel/linux/abi_file.h"
#include "kernel/linux/path_arg.h"
#include "kernel/linux/syscall_handlers.h"
#include "lib/string.h"

/* Entries as records in the application's buffer. */
struct user_sink {
	struct dir_sink sink;
	char *to;
	size_t left, written;
	bool old; /* struct linux_dirent: the type is the last byte */
	int error;
};

/* One record; large enough for the longest name. */
union record {
	struct linux_dirent64 new;
	struct linux_dirent old;
	char bytes[ALIGN_UP(sizeof(struct linux_dirent64) + NAME_MAX + 2, 8)];
};

static bool user_entry(struct dir_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type, uint64_t next)
{
	struct user_sink *out = container_of(sink, struct user_sink, sink);
	size_t head = out->old ? offsetof(struct linux_dirent, name) : offsetof(struct linux_dirent64, name);
	size_t size = ALIGN_UP(head + len + 1 + out->old, 8ul);
	union record record;

	if (size > out->left) {
		if (!out->written)
			out->error = -EINVAL;
		return false;
	}
	memset(record.bytes + size - 8, 0, 8);
	record.new.ino = ino;
	record.new.off = (int64_t)next;
	record.new.len = (uint16_t)size;
	if (out->old)
		record.bytes[size - 1] = (char)type;
	else
		record.new.type = (uint8_t)type;
	memcpy(record.bytes + head, name, len);
	if (!out->old || head + len < size - 1)
		record.bytes[head + len] = '\0';
	if (copy_out(out->to + out->written, record.bytes, size)) {
		out->error = -EFAULT;
		return false;
	}
	out->written += size;
	out->left -= size;
	return true;
}

static long getdents(unsigned fd, char *buf, size_t size, bool old)
{
	struct user_sink out = { { user_entry }, buf, size, 0, old, 0 };
	struct fd_ref ref = fd_borrow_open(fd);
	int error;

	if (!ref.file)
		return -EBADF;
	error = file_readdir(ref.file, &out.sink);
	fd_ref_put(ref);
	if (out.written)
		return (long)out.written;
	return error ? error : out.error;
}

long sys_getdents64(unsigned fd, void *dirp, unsigned count)
{
	return getdents(fd, dirp, count, false);
}

long sys_getdents(unsigned fd, void *dirp, unsigned count)
{
	return getdents(fd, dirp, count, true);
}
