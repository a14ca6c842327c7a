#include "kernel/linux/entry.h"

#include "kernel/arch/arch.h"
#include "kernel/core/thread.h"
#include "kernel/linux/abi_signal.h"
#include "kernel/linux/rseq.h"
#include "kernel/linux/syscall.h"
#include "kernel/linux/task.h"
#include "kernel/mem/user.h"
#include "kernel/mem/vmspace.h"
#include "lib/errno.h"
#include "lib/util.h"

bool app_page_fault(struct trapframe *frame, uintptr_t address)
{
	return vm_fault_try(frame, address) == 0;
}

/* Page-fault error code (Intel SDM vol. 3, 4.7). */
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_FETCH = 16 };

/* Signal and code of an exception (Linux arch/x86/kernel/traps.c; sigaction(2)); some have more to say. */
static const struct {
	uint8_t vector, signo, code;
	bool has_address; /* of the instruction */
} signals[] = {
	{ 0, SIGFPE, FPE_INTDIV, true },   { 1, SIGTRAP, TRAP_TRACE, true }, { 3, SIGTRAP, SI_KERNEL, false },
	{ 6, SIGILL, ILL_ILLOPN, true },   { 12, SIGBUS, SI_KERNEL, false }, { 16, SIGFPE, FPE_FLTUNK, true },
	{ 17, SIGBUS, BUS_ADRALN, false }, { 19, SIGFPE, FPE_FLTUNK, true },
};

/* Of x87 or SSE: what their flags say, the worst first (Linux arch/x86/kernel/fpu/core.c, fpu__exception_code). */
static int fpe_code(unsigned vector)
{
	static const struct {
		uint8_t flags, code;
	} codes[] = {
		{ 0x01, FPE_FLTINV }, { 0x04, FPE_FLTDIV }, { 0x08, FPE_FLTOVF },
		{ 0x12, FPE_FLTUND }, { 0x20, FPE_FLTRES },
	};
	unsigned flags = arch_fpu_exceptions(vector);

	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
		if (flags & codes[i].flags)
			return codes[i].code;
	return FPE_FLTUNK;
}

static struct signal_info page_fault_info(const struct trapframe *frame, uintptr_t address)
{
	enum vm_access access = frame->error & PF_FETCH	  ? VM_ACCESS_EXEC
				: frame->error & PF_WRITE ? VM_ACCESS_WRITE
							  : VM_ACCESS_READ;
	/* Asked once more for the reason; what has come to be there meanwhile is found at the next try. */
	int error = address < user_end ? vm_fault(thread_current()->vmspace, address, access, frame->sp) : -EFAULT;

	switch (error) {
	case 0:
		return (struct signal_info){ 0 };
	case -ENOMEM:
		vm_report(thread_current()->vmspace, thread_current()->name);
		return (struct signal_info){ .signo = SIGKILL };
	case -ENXIO:
	case -EIO:
		return (struct signal_info){ .signo = SIGBUS, .code = BUS_ADRERR, .address = address };
	default:
		return (struct signal_info){ .signo = SIGSEGV,
					     .code = error == -EACCES ? SEGV_ACCERR : SEGV_MAPERR,
					     .address = address };
	}
}

/* Anything that is not in the table is what a general protection fault is. */
static struct signal_info exception_info(const struct trapframe *frame)
{
	struct signal_info info = { .signo = SIGSEGV, .code = SI_KERNEL };

	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++) {
		if (signals[i].vector != frame->vector)
			continue;
		info.signo = signals[i].signo;
		info.code = signals[i].code;
		info.address = signals[i].has_address ? frame->ip : 0;
	}
	if (info.signo == SIGFPE && info.code == FPE_FLTUNK)
		info.code = fpe_code((unsigned)frame->vector);
	return info;
}

void app_fault(struct trapframe *frame, uintptr_t address)
{
	struct task *task = task_current();
	struct signal_info info =
		frame->vector == VECTOR_PAGE_FAULT ? page_fault_info(frame, address) : exception_info(frame);

	if (!info.signo)
		return;
	task->signals.trap = (struct signal_trap){ frame->vector, frame->error, address };
	signal_force(&info);
}

static __attribute__((noinline)) void work_do(struct trapframe *frame)
{
	struct thread *thread = thread_current();
	unsigned work;

	while ((work = READ_ONCE(thread->work))) {
		arch_irq_enable();
		if (work & THREAD_WORK_SWITCHED) {
			__atomic_fetch_and(&thread->work, ~(unsigned)THREAD_WORK_SWITCHED, __ATOMIC_RELAXED);
			rseq_resume(frame);
		}
		if (work & THREAD_WORK_SIGNAL)
			signal_deliver(frame);
		arch_irq_disable();
	}
}

void app_leave(struct trapframe *frame)
{
	if (unlikely(READ_ONCE(thread_current()->work)))
		work_do(frame);
}

/* What was sent to a thread that had not begun yet it does first: no interrupt may follow that would make it look. */
void app_start(const struct trapframe *frame)
{
	struct trapframe start = *frame;

	arch_irq_disable();
	app_leave(&start);
	arch_app_enter(&start);
}

void app_syscall(struct trapframe *frame)
{
	arch_irq_enable();
	frame->ax = (uint64_t)syscall_dispatch(frame);
	arch_irq_disable();
	app_leave(frame);
}
