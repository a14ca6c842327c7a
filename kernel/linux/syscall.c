/* The dispatch of system calls: syscall.h. */
#include "kernel/linux/syscall.h"

#include "kernel/arch/arch.h"
#include "kernel/core/log.h"
#include "lib/errno.h"
#include "lib/util.h"

#define NAMED_MAX 512 /* numbers from here on share the last bit */

static long (*hook)(struct trapframe *frame);
static unsigned long named[NAMED_MAX / 64]; /* atomic: bit NR is set when the log has named system call NR */

static long syscall_missing(unsigned nr)
{
	unsigned bit = MIN(nr, NAMED_MAX - 1u);
	unsigned long mask = 1ul << bit % 64;

	if (!(__atomic_fetch_or(&named[bit / 64], mask, __ATOMIC_RELAXED) & mask))
		log_write(LOG_NOTICE, "system call %s (%u) is not there", syscall_name(nr), nr);
	return -ENOSYS;
}

/* Whatever is not below syscall_limit, or has no handler. */
static __attribute__((noinline, cold)) long dispatch_slow(struct trapframe *frame)
{
	return hook ? hook(frame) : syscall_missing((unsigned)frame->ax);
}

static inline long handler_call(syscall_fn *handler, const struct trapframe *frame)
{
	return handler(frame->di, frame->si, frame->dx, frame->r10, frame->r8, frame->r9);
}

long syscall_dispatch(struct trapframe *frame)
{
	unsigned nr = (unsigned)frame->ax;
	syscall_fn *handler;

	if (unlikely(nr >= syscall_limit))
		return dispatch_slow(frame);
	handler = syscall_table[nr];
	if (unlikely(!handler))
		return dispatch_slow(frame);
	return handler_call(handler, frame);
}

long syscall_call(unsigned nr, const struct trapframe *frame)
{
	syscall_fn *handler = nr < syscall_table_len ? syscall_table[nr] : NULL;

	return handler ? handler_call(handler, frame) : syscall_missing(nr);
}

void syscall_hook_set(long (*fn)(struct trapframe *frame))
{
	hook = fn;
	syscall_limit = fn ? 0 : syscall_table_len;
}
