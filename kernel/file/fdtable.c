/* Tables of file descriptors: see fdtable.h. */
#include "kernel/file/fdtable.h"

#include "kernel/mem/slab.h"
#include "kernel/mem/vmap.h"
#include "lib/string.h"

#define KMALLOC_MAX MIB(2)

/* One block of memory for a table's arrays. */
static size_t arrays_len(unsigned size)
{
	return size * sizeof(struct file *) + 2 * (size / 8) + ((size + 4095) / 4096) * 8;
}

static void *arrays_alloc(unsigned size)
{
	size_t len = arrays_len(size);

	return len <= KMALLOC_MAX ? kzalloc(len) : vmap_alloc(len);
}

static void arrays_free(void *arrays, unsigned size)
{
	if (size <= FDTABLE_SMALL)
		return;
	if (arrays_len(size) <= KMALLOC_MAX)
		kfree(arrays);
	else
		vmap_free(arrays);
}

int fdtable_create(struct fdtable **out, unsigned limit)
{
	struct fdtable *table = kzalloc(sizeof(*table));

	if (!table)
		return -ENOMEM;
	spin_init(&table->lock, "fdtable");
	table->refs = 1;
	table->size = FDTABLE_SMALL;
	table->files = table->small_files;
	table->open = &table->small_bits[0];
	table->cloexec = &table->small_bits[1];
	table->full = &table->small_bits[2];
	table->limit = MIN(limit, FDTABLE_SIZE_MAX);
	*out = table;
	return 0;
}

void fdtable_limit_set(struct fdtable *table, unsigned limit)
{
	spin_lock(&table->lock);
	table->limit = MIN(limit, FDTABLE_SIZE_MAX);
	spin_unlock(&table->lock);
}

static inline bool bit_is_set(const uint64_t *bits, unsigned nr)
{
	return bits[nr / 64] >> nr % 64 & 1;
}

static inline void bit_set(uint64_t *bits, unsigned nr, bool on)
{
	uint64_t bit = 1ull << nr % 64;

	bits[nr / 64] = on ? bits[nr / 64] | bit : bits[nr / 64] & ~bit;
}

/* FD, free, gets FILE. */
static void slot_take(struct fdtable *table, unsigned fd, struct file *file, unsigned fd_flags)
{
	table->files[fd] = file;
	bit_set(table->open, fd, true);
	if (table->open[fd / 64] == ~0ull)
		bit_set(table->full, fd / 64, true);
	bit_set(table->cloexec, fd, fd_flags & FD_CLOEXEC_FLAG);
}

/* What was at FD, NULL: nothing. */
static struct file *slot_clear(struct fdtable *table, unsigned fd)
{
	struct file *file;

	if (fd >= table->size)
		return NULL;
	file = table->files[fd];
	if (!file)
		return NULL;
	table->files[fd] = NULL;
	bit_set(table->open, fd, false);
	bit_set(table->full, fd / 64, false);
	table->lowest = MIN(table->lowest, fd);
	return file;
}

/* The lowest free number from FROM on; beyond the table when that is full. */
static unsigned slot_find_free(const struct fdtable *table, unsigned from)
{
	unsigned word = from / 64, nr_words = table->size / 64;
	uint64_t free;

	if (from >= table->size)
		return from;
	free = ~table->open[word] & ~0ull << from % 64;
	if (free)
		return word * 64 + (unsigned)__builtin_ctzll(free);
	for (word++; word < nr_words; word = ALIGN_DOWN(word, 64) + 64) {
		free = ~table->full[word / 64] & ~0ull << word % 64;
		if (free) {
			word = ALIGN_DOWN(word, 64) + (unsigned)__builtin_ctzll(free);
			return word < nr_words ? word * 64 + (unsigned)__builtin_ctzll(~table->open[word])
					       : table->size;
		}
	}
	return table->size;
}

static void arrays_adopt(struct fdtable *table, void *arrays, unsigned size)
{
	unsigned old = table->size;
	struct file **files = arrays;
	uint64_t *open = (uint64_t *)(files + size), *cloexec = open + size / 64, *full = cloexec + size / 64;

	memcpy(files, table->files, old * sizeof(struct file *));
	memcpy(open, table->open, old / 8);
	memcpy(cloexec, table->cloexec, old / 8);
	memcpy(full, table->full, ((old + 4095) / 4096) * 8);
	table->files = files;
	table->open = open;
	table->cloexec = cloexec;
	table->full = full;
	table->size = size;
}

/* Makes room for FD, below FDTABLE_SIZE_MAX. Called and returns with the lock held, gives it up meanwhile. 0, -ENOMEM. */
static int grow_locked(struct fdtable *table, unsigned fd)
{
	unsigned size = table->size, old;
	void *arrays, *garbage;

	while (size <= fd)
		size *= 2;
	spin_unlock(&table->lock);
	arrays = arrays_alloc(size);
	spin_lock(&table->lock);
	if (!arrays)
		return -ENOMEM;
	if (table->size >= size) {
		old = size;
		garbage = arrays;
	} else {
		old = table->size;
		garbage = table->files;
		arrays_adopt(table, arrays, size);
	}
	spin_unlock(&table->lock);
	arrays_free(garbage, old);
	spin_lock(&table->lock);
	return 0;
}

int fdtable_install(struct fdtable *table, struct file *file, unsigned from, unsigned fd_flags)
{
	unsigned fd;
	int result;

	spin_lock(&table->lock);
	for (;;) {
		fd = slot_find_free(table, MAX(from, table->lowest));
		if (fd >= table->limit) {
			result = -EMFILE;
			break;
		}
		if (likely(fd < table->size)) {
			if (from <= table->lowest)
				table->lowest = fd + 1;
			slot_take(table, fd, file, fd_flags);
			result = (int)fd;
			break;
		}
		result = grow_locked(table, fd);
		if (result)
			break;
	}
	spin_unlock(&table->lock);
	return result;
}

int fdtable_install_at(struct fdtable *table, struct file *file, unsigned fd, unsigned fd_flags)
{
	struct file *old = NULL;
	int result = (int)fd;

	spin_lock(&table->lock);
	if (fd >= table->limit)
		result = -EBADF;
	else if (fd >= table->size && grow_locked(table, fd))
		result = -ENOMEM;
	if (result >= 0) {
		old = slot_clear(table, fd);
		slot_take(table, fd, file, fd_flags);
	}
	spin_unlock(&table->lock);
	if (old)
		file_close(old, table);
	return result;
}

struct file *fdtable_file(struct fdtable *table, unsigned fd)
{
	struct file *file = NULL;

	spin_lock(&table->lock);
	if (likely(fd < table->size)) {
		file = table->files[fd];
		if (likely(file))
			file_get(file);
	}
	spin_unlock(&table->lock);
	return file;
}

int fdtable_close(struct fdtable *table, unsigned fd)
{
	struct file *file;

	spin_lock(&table->lock);
	file = slot_clear(table, fd);
	spin_unlock(&table->lock);
	if (!file)
		return -EBADF;
	file_close(file, table);
	return 0;
}

/* The first bit that is set in BITS from FD on; table->size: none. A table has at most 16384 words. */
static unsigned bit_next(const struct fdtable *table, const uint64_t *bits, unsigned fd)
{
	unsigned word = fd / 64;
	uint64_t found;

	if (fd >= table->size)
		return table->size;
	found = bits[word] & ~0ull << fd % 64;
	while (!found && ++word < table->size / 64)
		found = bits[word];
	return found ? word * 64 + (unsigned)__builtin_ctzll(found) : table->size;
}

int fdtable_next(struct fdtable *table, unsigned fd)
{
	unsigned next;

	spin_lock(&table->lock);
	next = bit_next(table, table->open, fd);
	if (next >= table->size)
		next = (unsigned)-1;
	spin_unlock(&table->lock);
	return (int)next;
}

int fdtable_close_range(struct fdtable *table, unsigned first, unsigned last, bool cloexec_only)
{
	unsigned fd = first;
	bool more;

	if (first > last)
		return -EINVAL;
	do {
		struct file *file = NULL;

		spin_lock(&table->lock);
		fd = bit_next(table, table->open, fd);
		more = fd < table->size && fd <= last;
		if (more && cloexec_only)
			bit_set(table->cloexec, fd, true);
		else if (more)
			file = slot_clear(table, fd);
		spin_unlock(&table->lock);
		if (file)
			file_close(file, table);
		fd++;
	} while (more);
	return 0;
}

void fdtable_close_marked(struct fdtable *table)
{
	unsigned fd = 0;

	for (;;) {
		struct file *file = NULL;

		spin_lock(&table->lock);
		fd = bit_next(table, table->cloexec, fd);
		if (fd < table->size)
			file = slot_clear(table, fd);
		spin_unlock(&table->lock);
		if (fd >= table->size)
			return;
		if (file)
			file_close(file, table);
		fd++;
	}
}

static void close_all(struct fdtable *table)
{
	struct file *file;
	unsigned fd = 0;

	while ((fd = bit_next(table, table->open, fd)) < table->size) {
		file = slot_clear(table, fd);
		file_close(file, table);
	}
}

void fdtable_put(struct fdtable *table)
{
	if (__atomic_fetch_sub(&table->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	close_all(table);
	arrays_free(table->files, table->size);
	kfree(table);
}

int fdtable_flags(struct fdtable *table, unsigned fd)
{
	int flags = -EBADF;

	spin_lock(&table->lock);
	if (fd < table->size && table->files[fd])
		flags = bit_is_set(table->cloexec, fd) ? FD_CLOEXEC_FLAG : 0;
	spin_unlock(&table->lock);
	return flags;
}

int fdtable_flags_set(struct fdtable *table, unsigned fd, unsigned fd_flags)
{
	int error = -EBADF;

	spin_lock(&table->lock);
	if (fd < table->size && table->files[fd]) {
		bit_set(table->cloexec, fd, fd_flags & FD_CLOEXEC_FLAG);
		error = 0;
	}
	spin_unlock(&table->lock);
	return error;
}
