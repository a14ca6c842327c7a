#include "kernel/linux/rseq.h"

#include "kernel/core/cpu.h"
#include "kernel/linux/abi_thread.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/task.h"
#include "kernel/mem/user.h"

#define RSEQ_ALIGN 32

/*
 * FRAME leaves the sequence that it is in, if any. 0; -EFAULT, -EINVAL: what the application says of it makes no
 * sense.
 */
static int sequence_abort(struct trapframe *frame, struct linux_rseq *rseq, uint32_t sig)
{
	struct linux_rseq_cs cs;
	uint64_t at, none = 0;
	uint32_t found;

	if (user_read(&at, &rseq->rseq_cs, sizeof(at)))
		return -EFAULT;
	if (!at)
		return 0;
	if (!user_range_is_valid((void *)at, sizeof(cs)) || user_read(&cs, (void *)at, sizeof(cs)))
		return -EFAULT;
	if (cs.version || cs.start_ip + cs.post_commit_offset < cs.start_ip ||
	    cs.abort_ip - cs.start_ip < cs.post_commit_offset ||
	    !user_range_is_valid((void *)cs.abort_ip, sizeof(found)) || cs.abort_ip < sizeof(found))
		return -EINVAL;
	if (frame->ip - cs.start_ip < cs.post_commit_offset) {
		/* The signature keeps an attacker who can write rseq_cs from jumping anywhere. */
		if (user_read(&found, (void *)(cs.abort_ip - sizeof(found)), sizeof(found)))
			return -EFAULT;
		if (found != sig)
			return -EINVAL;
		frame->ip = cs.abort_ip;
		if (frame->vector == TRAP_SYSCALL) /* not allowed there, but then the way out has to know */
			frame->vector = TRAP_CHANGED;
	}
	return user_write(&rseq->rseq_cs, &none, sizeof(none));
}

static int cpu_store(struct linux_rseq *rseq, uint32_t start, uint32_t cpu)
{
	uint32_t ids[2] = { start, cpu };

	return user_write(&rseq->cpu_id_start, ids, sizeof(ids));
}

void rseq_resume(struct trapframe *frame)
{
	struct task *task = task_current();
	unsigned cpu;

	if (likely(!task->rseq))
		return;
	cpu = cpu_self();
	if (sequence_abort(frame, task->rseq, task->rseq_sig) || cpu_store(task->rseq, cpu, cpu))
		signal_force_segv();
}

static long rseq_unregister(struct task *task, struct linux_rseq *rseq, uint32_t len, int flags, uint32_t sig)
{
	if (flags & ~RSEQ_FLAG_UNREGISTER || !task->rseq || task->rseq != rseq || task->rseq_len != len)
		return -EINVAL;
	if (task->rseq_sig != sig)
		return -EPERM;
	if (cpu_store(rseq, 0, (uint32_t)RSEQ_CPU_ID_UNINITIALIZED))
		return -EFAULT;
	task->rseq = NULL;
	return 0;
}

long sys_rseq(struct linux_rseq *rseq, uint32_t len, int flags, uint32_t sig)
{
	struct task *task = task_current();

	if (flags & RSEQ_FLAG_UNREGISTER)
		return rseq_unregister(task, rseq, len, flags, sig);
	if (flags)
		return -EINVAL;
	if (task->rseq) {
		if (task->rseq != rseq || task->rseq_len != len)
			return -EINVAL;
		return task->rseq_sig != sig ? -EPERM : -EBUSY;
	}
	if (!IS_ALIGNED((uintptr_t)rseq, RSEQ_ALIGN) || len != sizeof(*rseq))
		return -EINVAL;
	if (!rseq || !user_range_is_valid(rseq, len) || cpu_store(rseq, cpu_self(), cpu_self()))
		return -EFAULT;
	task->rseq = rseq;
	task->rseq_len = len;
	task->rseq_sig = sig;
	return 0;
}
