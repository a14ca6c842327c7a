/* Threads: clone(2), clone3(2), exit(2), set_tid_address(2), arch_prctl(2). */
#include "kernel/arch/arch.h"
#include "kernel/core/log.h"
#include "kernel/linux/abi_process.h"
#include "kernel/linux/abi_thread.h"
#include "kernel/linux/entry.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/task.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/user.h"
#include "lib/errno.h"
#include "lib/string.h"

/* What makes it a thread of the caller's process. */
#define CLONE_OF_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define CLONE_NAMESPACES                                                                                               \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |   \
	 CLONE_NEWTIME)

static int clone_check(const struct linux_clone_args *args)
{
	uint64_t flags = args->flags;

	if ((flags & CLONE_THREAD && !(flags & CLONE_SIGHAND)) || (flags & CLONE_SIGHAND && !(flags & CLONE_VM)))
		return -EINVAL;
	if (flags & CLONE_SIGHAND && flags & CLONE_CLEAR_SIGHAND)
		return -EINVAL;
	if (flags & CLONE_THREAD && flags & (CLONE_NEWUSER | CLONE_NEWPID | CLONE_PIDFD))
		return -EINVAL;
	if (flags & CLONE_NAMESPACES)
		return -EPERM;
	if ((flags & CLONE_OF_THREAD) != CLONE_OF_THREAD) {
		log_write(LOG_NOTICE, "clone: a second process is not there yet (flags %#lx)", flags);
		return -ENOSYS;
	}
	if (args->tls >= user_end && flags & CLONE_SETTLS)
		return -EPERM;
	return 0;
}

/* First thing that a new thread does. */
static int thread_begin(void *arg)
{
	struct task *task = arg;
	struct trapframe frame = *task->start;

	kfree(task->start);
	task->start = NULL;
	app_start(&frame);
}

static long do_clone(const struct linux_clone_args *args)
{
	struct task *self = task_current(), *task;
	uint32_t *child_tid = (uint32_t *)args->child_tid;
	int error = clone_check(args), tid;

	if (error)
		return error;
	error = task_create(self->process, self, thread_begin, &task);
	if (error)
		return error;
	task->start = kmalloc(sizeof(*task->start));
	if (!task->start) {
		task_discard(task);
		return -ENOMEM;
	}
	*task->start = *task_frame();
	task->start->ax = 0;
	if (args->stack)
		task->start->sp = args->stack + args->stack_size;
	if (args->flags & CLONE_SETTLS)
		task->thread->context.app->fs_base = args->tls;
	if (args->flags & CLONE_CHILD_CLEARTID)
		task->clear_child_tid = child_tid;
	tid = task->tid;
	/* As in Linux, a pointer that is bad here is the caller's own loss. Both threads share the memory. */
	if (args->flags & CLONE_PARENT_SETTID && user_range_is_valid((void *)args->parent_tid, 4))
		user_store32((uint32_t *)args->parent_tid, (uint32_t)tid);
	if (args->flags & CLONE_CHILD_SETTID && user_range_is_valid(child_tid, 4))
		user_store32(child_tid, (uint32_t)tid);
	thread_release(task->thread);
	return tid;
}

long sys_clone(unsigned long flags, unsigned long stack, int *parent_tid, int *child_tid, unsigned long tls)
{
	struct linux_clone_args args = {
		.flags = flags & ~(uint64_t)CSIGNAL,
		.exit_signal = flags & CSIGNAL,
		.stack = stack,
		.parent_tid = (uintptr_t)parent_tid,
		.child_tid = (uintptr_t)child_tid,
		.tls = tls,
	};

	return do_clone(&args);
}

/* True when the bytes of a caller's struct that we do not know are all zero; -EFAULT. */
static int rest_is_zero(const char *rest, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char byte;

		if (user_read(&byte, rest + i, 1))
			return -EFAULT;
		if (byte)
			return 0;
	}
	return 1;
}

long sys_clone3(struct linux_clone_args *user_args, size_t size)
{
	struct linux_clone_args args = { 0 };
	size_t known = MIN(size, sizeof(args));
	int zero;

	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (!user_range_is_valid(user_args, size) || user_read(&args, user_args, known))
		return -EFAULT;
	zero = rest_is_zero((const char *)user_args + known, size - known);
	if (zero != 1)
		return zero < 0 ? zero : -E2BIG;
	if (args.flags & (CLONE_DETACHED | CSIGNAL) || args.exit_signal & ~(uint64_t)CSIGNAL)
		return -EINVAL;
	if (args.flags & (CLONE_THREAD | CLONE_PARENT) && args.exit_signal)
		return -EINVAL;
	if (!args.stack != !args.stack_size || !user_range_is_valid((void *)args.stack, args.stack_size))
		return -EINVAL;
	if (args.set_tid_size || args.flags & CLONE_INTO_CGROUP)
		return -EINVAL;
	return do_clone(&args);
}

long sys_exit(int status)
{
	task_exit((status & 0xff) << 8);
}

long sys_set_tid_address(int *tidptr)
{
	task_current()->clear_child_tid = (uint32_t *)tidptr;
	return task_current()->tid;
}

/* GS base is the kernel's own at ring 0. */
static long gs_refuse(void)
{
	log_write(LOG_NOTICE, "arch_prctl: GS base belongs to the kernel");
	return -EINVAL;
}

long sys_arch_prctl(int option, unsigned long addr)
{
	struct arch_app *app = thread_current()->context.app;

	switch (option) {
	case ARCH_SET_FS:
		if (addr >= user_end)
			return -EPERM;
		arch_app_fs_base_set(app, addr);
		return 0;
	case ARCH_GET_FS:
		if (!user_range_is_valid((void *)addr, 8))
			return -EFAULT;
		return user_write((void *)addr, &app->fs_base, 8);
	case ARCH_SET_GS:
	case ARCH_GET_GS:
		return gs_refuse();
	default:
		return -EINVAL;
	}
}
