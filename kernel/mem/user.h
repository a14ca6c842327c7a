/*
 * Memory that an application named: the pointers of system calls. Application and kernel share one address space at
 * ring 0, so the memory is there to be read and written directly; what is not certain is that it is mapped. These
 * functions touch it through instructions that the exception table knows: pages that only have not been touched yet are
 * brought in (mem/fault.c), and what is not mapped gives -EFAULT.
 *
 * Threads only, interrupts and preemption enabled: to bring a page in may sleep. Nothing here holds a lock meanwhile, so
 * the memory may change between two reads of it: copy what is checked.
 */
#ifndef KERNEL_MEM_USER_H
#define KERNEL_MEM_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/arch.h"
#include "lib/util.h"

/*
 * The first address that no system call may be given: the end of the lower half for a program that was loaded; the end of
 * everything for one that is linked with the kernel, whose data is the image's. Set once, before the program starts.
 */
extern uintptr_t user_end;

/* True when [PTR, PTR + LEN) lies below user_end; it need not be mapped. LEN may be 0. */
static inline bool user_range_is_valid(const void *ptr, size_t len)
{
	return len <= user_end && (uintptr_t)ptr <= user_end - len;
}

/* Copies LEN bytes in (read) or out (write): 0, or -EFAULT when not all of them could be; some may have been. */
int user_read(void *dst, const void *user_src, size_t len);
int user_write(void *user_dst, const void *src, size_t len);
int user_clear(void *user_dst, size_t len);
/*
 * Copies a NUL-terminated string in, at most SIZE bytes with its terminator. Its length; -ENAMETOOLONG when it does not end
 * within SIZE bytes, -EFAULT.
 */
ssize_t user_read_string(char *dst, const char *user_src, size_t size);

/* A 32-bit word, aligned (not checked here): *VALUE is what stood there. 0, -EFAULT. */
int user_load32(const uint32_t *user_word, uint32_t *value);
int user_store32(uint32_t *user_word, uint32_t value);
/* Atomic: if *USER_WORD is EXPECTED, it becomes DESIRED. *SEEN is what stood there before. 0, -EFAULT. */
int user_cmpxchg32(uint32_t *user_word, uint32_t expected, uint32_t desired, uint32_t *seen);

#endif
