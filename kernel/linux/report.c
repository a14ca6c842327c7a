#include "kernel/linux/report.h"

#include "kernel/arch/arch.h"
#include "kernel/core/log.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/task.h"
#include "lib/string.h"

#define MAPPINGS_MAX 200
#define CALLERS_MAX 32
#define NAME_SHOWN 128

static void registers_log(const struct trapframe *f)
{
	log_err("ip %016lx sp %016lx flags %08lx", f->ip, f->sp, f->flags);
	log_err("ax %016lx bx %016lx cx %016lx dx %016lx", f->ax, f->bx, f->cx, f->dx);
	log_err("si %016lx di %016lx bp %016lx r8 %016lx", f->si, f->di, f->bp, f->r8);
	log_err("r9 %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10, f->r11, f->r12);
	log_err("r13 %016lx r14 %016lx r15 %016lx", f->r13, f->r14, f->r15);
}

static int mapping_log(const struct vm_info *info, void *arg)
{
	unsigned *n = arg;

	if (++*n > MAPPINGS_MAX) {
		log_err("and more");
		return 1;
	}
	log_err("%012lx-%012lx %c%c%c%c %08lx %.*s", info->start, info->end, info->prot & PT_READ ? 'r' : '-',
		info->prot & PT_WRITE ? 'w' : '-', info->prot & PT_EXEC ? 'x' : '-',
		info->flags & VM_SHARED ? 's' : 'p', info->off, NAME_SHOWN, info->name);
	return 0;
}

/* Where an address is: what is mapped there, and how far into it. */
struct place {
	uintptr_t address;
	uint64_t off;
	char name[NAME_SHOWN];
};

static int place_find(const struct vm_info *info, void *arg)
{
	struct place *place = arg;

	if (place->address >= info->start && place->address < info->end) {
		place->off = place->address - info->start + info->off;
		strlcpy(place->name, info->name, sizeof(place->name));
	}
	return 1;
}

static void caller_log(struct vmspace *vm, unsigned n, uintptr_t address)
{
	struct place place = { .address = address };

	vm_for_each(vm, address, place_find, &place);
	if (place.name[0])
		log_err("#%u %012lx %s+%#lx", n, address, place.name, place.off);
	else
		log_err("#%u %012lx", n, address);
}

void signal_report(const struct trapframe *frame, const struct signal_info *info)
{
	struct task *task = task_current();
	struct vmspace *vm = task->process->vm;
	uintptr_t callers[CALLERS_MAX];
	unsigned nr_callers, nr_mappings = 0;

	if (info->code > SI_USER)
		log_err("%s[%d]: ended by %s (%d), code %d, address %#lx, error code %#lx", task->comm, task->tid,
			signal_name((unsigned)info->signo), info->signo, info->code, info->address,
			task->signals.trap.error);
	else
		log_err("%s[%d]: ended by %s (%d) from %d", task->comm, task->tid, signal_name((unsigned)info->signo),
			info->signo, info->pid);
	registers_log(frame);
	nr_callers = frame->bp ? arch_backtrace(frame->bp, callers, CALLERS_MAX) : 0;
	vm_for_each(vm, 0, mapping_log, &nr_mappings);
	caller_log(vm, 0, frame->ip);
	for (unsigned i = 0; i < nr_callers; i++)
		caller_log(vm, i + 1, callers[i]);
}
