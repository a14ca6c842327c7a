/*
 * The report of a kernel failure. It trusts nothing but the log, the image's own code and arch_probe_read: pointers that it
 * follows may be what is broken. The first CPU to come here reports; another one that panics meanwhile stops; when the
 * report itself fails, one line and the end.
 */
#include "kernel/core/panic.h"

#include <stdarg.h>

#include "abi/exit.h"
#include "kernel/arch/arch.h"
#include "kernel/core/cpu.h"
#include "kernel/core/log.h"
#include "kernel/core/thread.h"
#include "lib/fmt.h"
#include "lib/symtab.h"
#include "lib/util.h"

#define BACKTRACE_MAX 32
#define CODE_BEFORE 12 /* bytes shown before and from the instruction that failed on */
#define CODE_AFTER 20
#define SYMBOL_MAX 64

#define report(...) log_write(LOG_EMERG, __VA_ARGS__)

extern const uint8_t symtab_start[], symtab_end[]; /* image.ld */

void (*panic_exit)(int status);
uintptr_t __stack_chk_guard;

static unsigned panic_cpu; /* atomic: the CPU that reports, plus 1 */
static unsigned depth;	   /* panics on that CPU since */

static void __attribute__((noreturn, cold)) finish(void)
{
	if (panic_exit)
		panic_exit(EXIT_PANIC);
	arch_machine_reset();
}

/* "  TITLE ADDRESS function+0x12". A call's return address is looked up as the call's, which may end its function. */
static void report_place(const char *title, uintptr_t address, bool is_return)
{
	char name[SYMBOL_MAX];
	uint32_t start, offset = (uint32_t)(address - arch_layout.image_virt);
	bool in_image = address - arch_layout.image_virt < arch_layout.image_len;

	if (in_image && symtab_lookup(symtab_start, (size_t)(symtab_end - symtab_start), offset - is_return, name,
				      sizeof(name), &start))
		report("  %-4s %016lx %s+%#x", title, address, name, offset - start);
	else
		report("  %-4s %016lx", title, address);
}

static void report_code(uintptr_t ip)
{
	char line[(CODE_BEFORE + CODE_AFTER) * 3 + 8];
	int len = 0;

	for (uintptr_t at = ip - CODE_BEFORE; at != ip + CODE_AFTER; at++) {
		uint8_t byte;

		if (arch_probe_read(&byte, (const void *)at, 1))
			len += fmt_format(line + len, sizeof(line) - (size_t)len, at == ip ? " <?\?>" : " ??");
		else
			len += fmt_format(line + len, sizeof(line) - (size_t)len, at == ip ? " <%02x>" : " %02x", byte);
	}
	report("  code%s", line);
}

static void report_registers(const struct trapframe *f)
{
	report_place("rip", f->ip, false);
	report("  rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->ax, f->bx, f->cx, f->dx);
	report("  rsi %016lx rdi %016lx rbp %016lx rsp %016lx", f->si, f->di, f->bp, f->sp);
	report("  r8  %016lx r9  %016lx r10 %016lx r11 %016lx", f->r8, f->r9, f->r10, f->r11);
	report("  r12 %016lx r13 %016lx r14 %016lx r15 %016lx", f->r12, f->r13, f->r14, f->r15);
	report("  flags %lx cs %lx ss %lx vector %lu error %lx", f->flags, f->cs, f->ss, f->vector, f->error);
	report_code(f->ip);
}

/* After a jump to where no code is, the way back is on top of the stack: the CALL has pushed it, nothing has pushed RBP yet. */
static void report_caller(const struct trapframe *frame)
{
	uintptr_t caller;
	unsigned prot;

	if (arch_pt_lookup(&arch_kernel_aspace, frame->ip, NULL, &prot) && prot & PT_EXEC)
		return;
	if (!arch_probe_read(&caller, (const void *)frame->sp, sizeof(caller)))
		report_place("from", caller, true);
}

static void report_backtrace(uintptr_t bp)
{
	uintptr_t addresses[BACKTRACE_MAX];
	unsigned n = arch_backtrace(bp, addresses, BACKTRACE_MAX);

	for (unsigned i = 0; i < n; i++) {
		char title[8];

		fmt_format(title, sizeof(title), "#%u", i);
		report_place(title, addresses[i], true);
	}
}

static void report_where(void)
{
	struct thread *thread = thread_current();
	char name[THREAD_NAME_MAX] = "";

	if (thread)
		arch_probe_read(name, thread->name, sizeof(name) - 1);
	report("  on CPU %u, thread \"%s\"; image at %#lx, linked for %#lx", cpu_self(), name, arch_layout.image_virt,
	       arch_layout.image_virt - arch_layout.slide);
}

/*
 * Only those that are up: an NMI in a CPU that has no descriptor tables yet would reset the machine. Whoever comes up later
 * looks by itself (cpu_main).
 */
static void stop_others(void)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		if (i != cpu_self() && __atomic_load_n(&cpus[i].online, __ATOMIC_SEQ_CST))
			arch_ipi_send_nmi(cpus[i].apic_id);
	}
}

/* Makes this CPU the one that reports, or does not return. */
static void panic_begin(const char *format, va_list args)
{
	unsigned self, holder = 0;
	char line[160];

	arch_irq_disable();
	self = cpu_self() + 1;
	if (__atomic_compare_exchange_n(&panic_cpu, &holder, self, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		log_panic_begin();
		return;
	}
	if (holder != self)
		arch_cpu_halt();
	if (++depth == 1) {
		int len = fmt_format(line, sizeof(line), "panic: again, while reporting the first: ");

		fmt_vformat(line + len, sizeof(line) - (size_t)len, format, args);
		report("%s", line);
		finish();
	}
	arch_machine_reset();
}

static void __attribute__((noreturn, cold, format(printf, 3, 0)))
panic_report(const struct trapframe *frame, uintptr_t bp, const char *format, va_list args)
{
	char reason[LOG_LINE_MAX];

	panic_begin(format, args);
	fmt_vformat(reason, sizeof(reason), format, args);
	report("panic: %s", reason);
	stop_others();
	report_where();
	if (frame) {
		report_registers(frame);
		report_caller(frame);
	}
	report_backtrace(bp);
	report("  lines that were only logged so far:");
	log_panic_dump();
	finish();
}

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	panic_report(NULL, (uintptr_t)__builtin_frame_address(0), format, args);
}

void panic_frame(const struct trapframe *frame, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	panic_report(frame, frame->bp, format, args);
}

void panic_nmi(struct trapframe *frame)
{
	unsigned holder = __atomic_load_n(&panic_cpu, __ATOMIC_SEQ_CST);

	(void)frame;
	if (holder && holder != cpu_self() + 1)
		arch_cpu_halt();
}

void __stack_chk_fail(void)
{
	panic("stack smashed: the canary of the function that called this is gone");
}
