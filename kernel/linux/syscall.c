/* The dispatch of system calls: syscall.h. */
#include "kernel/linux/syscall.h"

#include "kernel/arch/arch.h"
#include "kernel/core/log.h"
#include "lib/errno.h"
#include "lib/util.h"

#define NAMED_MAX 512 /* numbers from here on share the last bit */

void (*syscall_hook)(struct trapframe *frame);

static unsigned long named[NAMED_MAX / 64]; /* atomic: bit NR is set when the log has named system call NR */

static __attribute__((noinline, cold)) long syscall_missing(unsigned nr)
{
	unsigned bit = MIN(nr, NAMED_MAX - 1u);
	unsigned long mask = 1ul << bit % 64;

	if (!(__atomic_fetch_or(&named[bit / 64], mask, __ATOMIC_RELAXED) & mask))
		log_write(LOG_NOTICE, "system call %s (%u) is not there", syscall_name(nr), nr);
	return -ENOSYS;
}

static inline long dispatch(unsigned nr, const struct trapframe *frame)
{
	syscall_fn *handler = NULL;

	if (likely(nr < syscall_table_len))
		handler = syscall_table[nr];
	if (unlikely(!handler))
		return syscall_missing(nr);
	return handler(frame->di, frame->si, frame->dx, frame->r10, frame->r8, frame->r9);
}

long syscall_call(unsigned nr, const struct trapframe *frame)
{
	return dispatch(nr, frame);
}

void syscall_handle(struct trapframe *frame)
{
	if (unlikely(syscall_hook))
		syscall_hook(frame);
	else
		frame->ax = (uint64_t)dispatch((unsigned)frame->ax, frame);
}
