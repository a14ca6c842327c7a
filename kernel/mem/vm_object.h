/*
 * What a mapping shows: something that has pages, such as a file's contents (fs/), anonymous shared memory, a device. The
 * address space (vmspace.h) asks it for pages at faults; it asks the address spaces to forget pages when it loses them.
 * Embedded in the owner: struct vnode for files.
 */
#ifndef KERNEL_MEM_VM_OBJECT_H
#define KERNEL_MEM_VM_OBJECT_H

#include "kernel/core/lock.h"
#include "kernel/mem/page.h"

struct vm_object;

/* One page of an object, for a page table entry; or a run of them. */
struct vm_page {
	paddr_t pa;
	struct page
		*page; /* with a reference for whoever asked (page_put gives it back); NULL: not the page allocator's */
	/*
	 * With PAGE NULL: so many pages from here on, this one included, lie one after the other in physical memory
	 * as they do in
	 * the object, and may be mapped at once (0 says 1); and so many before it.
	 */
	uint64_t run, run_before;
};

struct vm_object_ops {
	/*
	 * The page at OFF (bytes, page-aligned). WRITE: it will be written through this mapping and everyone shall see it
	 * (MAP_SHARED), so the object marks it dirty. 0; -ENXIO past the object's end (SIGBUS), -ENOMEM, -EIO. May sleep;
	 * called with the vmspace's lock held, so it takes no vmspace's lock, touches no application memory, and
	 * takes no lock
	 * under which anybody does (such as vnode->lock, which write(2) holds). *OUT is all zero on entry.
	 */
	int (*page)(struct vm_object *object, uint64_t off, bool write, struct vm_page *out);
	/*
	 * True when the page at OFF needs no making (mincore). NULL: all of the object's pages are there. Called as
	 * `page` is.
	 */
	bool (*resident)(struct vm_object *object, uint64_t off);
	/* Makes [OFF, OFF+LEN) a hole (MADV_REMOVE), page-aligned; no lock held. NULL: -EOPNOTSUPP. */
	int (*punch)(struct vm_object *object, uint64_t off, uint64_t len);
	/* A mapping holds a reference to the object's owner. put: may be the last; threads only, no lock held. */
	void (*get)(struct vm_object *object);
	void (*put)(struct vm_object *object);
	/* Writes back what is dirty in [OFF, OFF+LEN) (msync). NULL: nothing to do. 0, -EIO. */
	int (*sync)(struct vm_object *object, uint64_t off, uint64_t len);
	/* For /proc/PID/maps: path or name, NUL-terminated, and what identifies the file. */
	void (*describe)(struct vm_object *object, char *path, size_t size, uint64_t *dev, uint64_t *ino);
};

struct vm_object {
	const struct vm_object_ops *ops;
	struct spinlock lock; /* covers mappings */
	struct list mappings; /* struct vm_area.object_link */
};

void vm_object_init(struct vm_object *object, const struct vm_object_ops *ops);
/*
 * Takes the pages [OFF, OFF+LEN) of OBJECT out of every address space that maps them (LEN UINT64_MAX: to the end); later
 * accesses fault again. PRIVATE: the pages that private mappings have copied go as well (truncation, not eviction). Threads
 * only; takes vmspace locks, so the caller holds none, nor a lock that ops->page takes.
 */
void vm_object_unmap(struct vm_object *object, uint64_t off, uint64_t len, bool private);

/*
 * Zeroed memory of SIZE bytes, each page made at its first touch: what MAP_SHARED with MAP_ANONYMOUS shows. With one
 * reference. NULL:
 * no memory.
 */
struct vm_object *vm_shared_create(uint64_t size);

#endif
