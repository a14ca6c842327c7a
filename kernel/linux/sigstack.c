#include "kernel/linux/sigstack.h"

#include "kernel/linux/signal.h"

bool sigstack_is_on(const struct task_signals *own, uintptr_t sp)
{
	if (own->altstack_flags & SS_AUTODISARM)
		return false;
	return sp > own->altstack && sp - own->altstack <= own->altstack_len;
}

void sigstack_get(const struct task_signals *own, uintptr_t sp, struct linux_stack *out)
{
	unsigned flags = own->altstack_flags;

	if (!own->altstack_len)
		flags |= SS_DISABLE;
	else if (sigstack_is_on(own, sp))
		flags |= SS_ONSTACK;
	*out = (struct linux_stack){ .sp = own->altstack, .flags = (int32_t)flags, .size = own->altstack_len };
}

void sigstack_clear(struct task_signals *own)
{
	own->altstack = own->altstack_len = 0;
	own->altstack_flags = 0;
}

int sigstack_set(struct task_signals *own, uintptr_t sp, const struct linux_stack *stack)
{
	unsigned mode = (unsigned)stack->flags & ~SS_AUTODISARM;

	if (sigstack_is_on(own, sp))
		return -EPERM;
	if (mode & ~(unsigned)(SS_ONSTACK | SS_DISABLE) || mode == (SS_ONSTACK | SS_DISABLE))
		return -EINVAL;
	if (mode == SS_DISABLE) {
		sigstack_clear(own);
		return 0;
	}
	if (stack->size < MINSIGSTKSZ)
		return -ENOMEM;
	own->altstack = stack->sp;
	own->altstack_len = stack->size;
	own->altstack_flags = (unsigned)stack->flags & SS_AUTODISARM;
	return 0;
}
