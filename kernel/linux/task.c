/* Processes and tasks: how they come and go. */
#include "kernel/linux/task.h"

#include "kernel/core/clock.h"
#include "kernel/core/panic.h"
#include "kernel/file/path.h"
#include "kernel/linux/abi_process.h"
#include "kernel/linux/futex.h"
#include "kernel/mem/slab.h"
#include "lib/errno.h"
#include "lib/string.h"

#define TID_MAX 4194304 /* as /proc/sys/kernel/pid_max */

static struct process *first; /* the only one there is */

struct process *process_find(int pid)
{
	return !pid || (first && pid == first->pid) ? first : NULL;
}

int process_create(struct dentry *root, struct process **out)
{
	struct process *process = kzalloc(sizeof(*process));

	if (!process)
		return -ENOMEM;
	process->pid = process->pgid = process->sid = 1;
	spin_init(&process->lock, "process");
	list_init(&process->tasks);
	wait_queue_init(&process->ended);
	process->fs.umask = 022;
	spin_init(&process->fs.lock, "fs_context");
	process->dumpable = true;
	process->start_time = clock_log();
	process_settings_init(process);
	if (fdtable_create(&process->files, (unsigned)process->rlimits[RLIMIT_NOFILE].cur))
		goto no_files;
	if (vmspace_create(&process->vm))
		goto no_vm;
	process->vm->limit_stack = process->rlimits[RLIMIT_STACK].cur;
	signal_process_init(&process->signals);
	timers_process_init(process);
	dentry_get(root);
	dentry_get(root);
	process->fs.root = process->fs.cwd = root;
	first = process;
	*out = process;
	return 0;
no_vm:
	fdtable_put(process->files);
no_files:
	kfree(process);
	return -ENOMEM;
}

void process_wait(struct process *process)
{
	unsigned long flags;

	wait_event(&process->ended, !READ_ONCE(process->nr_tasks) && !READ_ONCE(process->nr_leaving));
	/* Who counted itself out held this lock, and may not have let go of it yet. */
	flags = spin_lock_irqsave(&process->lock);
	spin_unlock_irqrestore(&process->lock, flags);
}

void process_free(struct process *process)
{
	BUG_ON(process->nr_tasks);
	timers_process_free(process, true);
	fdtable_put(process->files);
	vmspace_put(process->vm);
	signal_process_free(process);
	if (process->exe)
		dentry_put(process->exe);
	dentry_put(process->fs.cwd);
	dentry_put(process->fs.root);
	first = NULL;
	kfree(process);
}

/* ---- Tasks ------------------------------------------------------------------------------------------------------ */

static struct slab_cache *app_cache; /* struct arch_app, whose size the CPU decides */

static struct arch_app *app_alloc(void)
{
	if (unlikely(!app_cache))
		app_cache = slab_cache_create("arch_app", arch_app_size(), ARCH_APP_ALIGN);
	return app_cache ? slab_alloc(app_cache) : NULL;
}

static struct task *task_of(struct rb_node *node)
{
	return container_of(node, struct task, node);
}

static bool tid_less(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct task, node)->tid < container_of(b, struct task, node)->tid;
}

struct task *task_find(struct process *process, int tid)
{
	struct rb_node *node = process->by_tid.root;

	while (node && task_of(node)->tid != tid)
		node = tid < task_of(node)->tid ? node->left : node->right;
	return node ? task_of(node) : NULL;
}

/* The number after the last one that is free. Process locked. */
static int tid_next(struct process *process)
{
	static int last;

	do
		last = last < TID_MAX - 1 ? last + 1 : 2;
	while (task_find(process, last));
	return last;
}

/* 0, or -EAGAIN when PROCESS has no room for one more, or is ending. */
static int task_add(struct process *process, struct task *task)
{
	unsigned long flags = spin_lock_irqsave(&process->lock);
	int error = process->exiting || process->nr_tasks >= process->rlimits[RLIMIT_NPROC].cur ? -EAGAIN : 0;

	if (!error) {
		task->tid = tid_next(process);
		list_push_back(&process->tasks, &task->link);
		rb_insert(&process->by_tid, &task->node, tid_less);
		process->nr_tasks++;
	}
	spin_unlock_irqrestore(&process->lock, flags);
	return error;
}

static void task_remove(struct task *task)
{
	struct process *process = task->process;

	list_remove(&task->link);
	rb_remove(&process->by_tid, &task->node);
	process->nr_tasks--;
}

static void task_start(struct task *task, const struct task *parent, struct arch_app *app)
{
	struct thread *thread = task->thread;

	arch_app_init(app, parent ? parent->thread->context.app : NULL);
	thread->context.app = app;
	thread->task = task;
	thread->vmspace = task->process->vm;
	signal_task_init(task, parent);
	task_settings_init(&task->settings, parent ? &parent->settings : NULL);
	if (parent)
		memcpy(task->comm, parent->comm, COMM_MAX);
}

int task_create(struct process *process, const struct task *parent, int (*fn)(void *task), struct task **out)
{
	struct task *task = kzalloc(sizeof(*task));
	struct arch_app *app = app_alloc();
	int error = -ENOMEM;

	if (!task || !app)
		goto no_thread;
	task->process = process;
	error = thread_create(&task->thread, parent ? parent->comm : "init", fn, task, THREAD_DETACHED | THREAD_HELD);
	if (error)
		goto no_thread;
	task_start(task, parent, app);
	error = task_add(process, task);
	if (!error) {
		*out = task;
		return 0;
	}
	task_discard(task);
	return error;
no_thread:
	if (app)
		slab_free(app_cache, app);
	kfree(task);
	return error;
}

/* What a task that is in no list any more has. */
static void task_free(struct task *task)
{
	signal_task_free(task);
	kfree(task->start);
	kfree(task);
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* The thread runs after all, but ends at once. */
void task_discard(struct task *task)
{
	struct process *process = task->process;
	struct thread *thread = task->thread;
	unsigned long flags = spin_lock_irqsave(&process->lock);

	if (task->tid)
		task_remove(task);
	spin_unlock_irqrestore(&process->lock, flags);
	slab_free(app_cache, thread->context.app);
	thread->context.app = NULL;
	thread->task = NULL;
	thread->vmspace = NULL;
	thread->fn = nothing;
	task_free(task);
	thread_release(thread);
}

/* Its registers are lost from here on, which the application's thread does not need any more. */
static void app_drop(struct thread *thread)
{
	unsigned long flags = arch_irq_save();
	struct arch_app *app = thread->context.app;

	thread->context.app = NULL;
	arch_irq_restore(flags);
	slab_free(app_cache, app);
}

void task_exit(int status)
{
	struct task *task = task_current();
	struct process *process = task->process;
	struct thread *thread = task->thread;
	uint64_t runtime;
	unsigned long flags;
	bool last;

	futex_task_exit(task);
	runtime = thread_runtime(thread);
	flags = spin_lock_irqsave(&process->lock);
	process->nr_leaving++;
	task_remove(task);
	process->ended_runtime += runtime;
	last = !process->nr_tasks;
	if (last && !process->exiting)
		process->exit_status = status;
	spin_unlock_irqrestore(&process->lock, flags);
	thread->task = NULL;
	thread->work = 0;
	task_free(task);
	app_drop(thread);
	flags = spin_lock_irqsave(&process->lock);
	if (!--process->nr_leaving && !process->nr_tasks)
		wait_wake(&process->ended, UINT32_MAX);
	spin_unlock_irqrestore(&process->lock, flags);
	thread_exit(0);
}

void process_kill(struct process *process, int status)
{
	unsigned long flags = spin_lock_irqsave(&process->lock);
	struct list *link;

	if (!process->exiting) {
		process->exiting = true;
		process->exit_status = status;
	}
	list_for_each(link, &process->tasks)
		thread_work_set(list_entry(link, struct task, link)->thread, THREAD_WORK_SIGNAL);
	spin_unlock_irqrestore(&process->lock, flags);
	/* Those that SIGSTOP has stopped: they wait for nothing else. */
	wait_wake(&process->signals.waiters, UINT32_MAX);
}

void process_exit(int status)
{
	process_kill(process_current(), status);
	task_exit(status);
}
