/*
 * Exceptions: what can be mended (the exception table, or the kernel above), and a name for what cannot.
 */
#include "kernel/arch/x86_64/trap.h"

#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/image.h"
#include "kernel/arch/x86_64/msr.h"
#include "lib/errno.h"
#include "lib/util.h"

/* Pairs of distances from the fields to a faulting instruction and to where it goes on. */
struct ex_entry {
	int32_t from, to;
};
extern const struct ex_entry ex_table_start[], ex_table_end[];

static bool exception_table_apply(struct trapframe *frame)
{
	for (const struct ex_entry *e = ex_table_start; e < ex_table_end; e++) {
		if ((uintptr_t)&e->from + (intptr_t)e->from == frame->ip) {
			frame->ip = (uintptr_t)&e->to + (intptr_t)e->to;
			return true;
		}
	}
	return false;
}

/* Intel SDM vol. 3, table 6-1. */
static const char exception_names[][24] = {
	"divide error",
	"debug",
	"NMI",
	"breakpoint",
	"overflow",
	"bound range",
	"invalid opcode",
	"no FPU",
	"double fault",
	"",
	"invalid TSS",
	"segment not present",
	"stack segment",
	"general protection",
	"page fault",
	"",
	"x87 error",
	"alignment check",
	"machine check",
	"SIMD error",
	"virtualization",
	"control protection",
};

static const char *page_fault_reason(const struct trapframe *frame, uintptr_t address)
{
	if (frame->error & FAULT_RESERVED)
		return "reserved bit in a page table";
	if (address < 0x10000)
		return "NULL pointer";
	if (!(frame->error & FAULT_PRESENT))
		return "not mapped";
	return frame->error & FAULT_FETCH ? "not executable" : "read-only";
}

static void __attribute__((noreturn, cold)) exception_panic(struct trapframe *frame, uintptr_t address)
{
	if (frame->vector == VECTOR_PAGE_FAULT) {
		const char *access = frame->error & FAULT_FETCH	  ? "execute"
				     : frame->error & FAULT_WRITE ? "write"
								  : "read";

		arch_upcalls.panic(frame, "page fault: %s at %#lx: %s", access, address,
				   page_fault_reason(frame, address));
	}
	const char *name = frame->vector < ARRAY_SIZE(exception_names) ? exception_names[frame->vector] : "exception";
	arch_upcalls.panic(frame, "%s (vector %lu, error code %#lx)", name, frame->vector, frame->error);
}

_Static_assert(offsetof(struct trapframe, vector) == TRAPFRAME_VECTOR, "entry.S");
_Static_assert(offsetof(struct trapframe, flags) == TRAPFRAME_FLAGS, "entry.S");
_Static_assert(offsetof(struct trapframe, sp) == TRAPFRAME_SP, "entry.S");
_Static_assert(sizeof(struct trapframe) == TRAPFRAME_SIZE, "entry.S");
_Static_assert(offsetof(struct arch_context, app) == CONTEXT_APP, "entry.S");
_Static_assert(TRAP_SYSCALL == TRAP_VECTOR_SYSCALL, "entry.S");

/* Only what interrupts an application comes in with a stack pointer outside of the kernel stack, and so lies at its top. */
static inline bool is_from_app(const struct trapframe *frame)
{
	return (uintptr_t)(frame + 1) == percpu_read(trap_stack.top);
}

static inline void leave(struct trapframe *frame)
{
	if (is_from_app(frame) && arch_upcalls.leave)
		arch_upcalls.leave(frame);
}

static bool page_fault_mend(struct trapframe *frame, uintptr_t address)
{
	return frame->vector == VECTOR_PAGE_FAULT && arch_upcalls.page_fault && arch_upcalls.page_fault(frame, address);
}

/* Error code of an exception that names a descriptor: it is one of an interrupt (Intel SDM vol. 3, 6.13). */
#define ERROR_IDT 2

/*
 * An interrupt on a vector that nobody has opened raises #GP at its empty descriptor, under some hypervisors #NP: firmware
 * left it pending, or a device sends what it was not told to. That it is in service tells it from INT n (not all
 * hypervisors set the error code's EXT bit). Who runs has done nothing wrong and goes on.
 */
static bool stray_interrupt_take(const struct trapframe *frame)
{
	int vector;

	if ((frame->vector != VECTOR_PROTECTION && frame->vector != VECTOR_NOT_PRESENT) || !(frame->error & ERROR_IDT))
		return false;
	vector = apic_in_service();
	if (vector < 0 || vector_is_open((unsigned)vector))
		return false;
	arch_upcalls.stray((unsigned)vector);
	return true;
}

/*
 * True: go on at frame->ip. A stray interrupt comes before the exception table: it may stand in front of an instruction that
 * is in the table.
 */
static bool exception_mend(struct trapframe *frame, uintptr_t address, bool from_app)
{
	return page_fault_mend(frame, address) || stray_interrupt_take(frame) ||
	       (!from_app && exception_table_apply(frame)) || arch_upcalls.fault(frame, address);
}

void trap_handle_exception(struct trapframe *frame)
{
	uintptr_t address = frame->vector == VECTOR_PAGE_FAULT ? read_cr2() : 0;
	bool from_app = is_from_app(frame);

	if (!exception_mend(frame, address, from_app)) {
		if (!from_app || !arch_upcalls.app_fault)
			exception_panic(frame, address);
		arch_irq_restore(frame->flags);
		arch_upcalls.app_fault(frame, address);
		arch_irq_disable();
	}
	leave(frame);
}

void trap_handle_irq(struct trapframe *frame)
{
	frame->vector = (uint8_t)(frame->vector + 128);
	frame->error = 0;
	arch_upcalls.irq(frame);
	leave(frame);
}

void trap_handle_syscall(struct trapframe *frame)
{
	arch_upcalls.syscall(frame);
}

/* The panic stack is this CPU's kernel stack from now on: the report's probes of bad addresses raise exceptions on it. */
static void panic_stack_enter(void)
{
	uintptr_t top = percpu_this(trap_stack)->panic_top;

	arch_kernel_stack_set(top - IST_PANIC_SIZE, top);
}

void trap_handle_in_place(struct trapframe *frame)
{
	if (frame->vector == VECTOR_NMI) {
		arch_upcalls.nmi(frame);
		return;
	}
	panic_stack_enter();
	exception_panic(frame, 0);
}

void trap_bad_stack(struct trapframe *frame)
{
	struct trap_stack stack = *percpu_this(trap_stack);

	if (frame->vector > 31)
		frame->vector = (uint8_t)(frame->vector + 128);
	panic_stack_enter();
	arch_upcalls.panic(
		frame, "kernel stack overflow: stack pointer %#lx, stack %#lx to %#lx (vector %lu, address %#lx)",
		frame->sp, stack.bottom, stack.top, frame->vector, frame->vector == VECTOR_PAGE_FAULT ? read_cr2() : 0);
}

int arch_probe_read(void *dst, const void *src, size_t len)
{
	/* A non-canonical address raises #GP, which the exception table catches as well. */
	for (size_t i = 0; i < len; i++) {
		if (probe_read_byte((char *)dst + i, (const char *)src + i))
			return -EFAULT;
	}
	return 0;
}

/* No kernel stack is larger; a frame pointer further away is not one. */
#define BACKTRACE_REACH (64ul << 10)

unsigned arch_backtrace(uintptr_t bp, uintptr_t *addresses, unsigned max)
{
	uintptr_t start = bp ? bp : (bp = (uintptr_t)__builtin_frame_address(0));
	unsigned n = 0;

	while (n < max && IS_ALIGNED(bp, 8) && bp >= start && bp - start < BACKTRACE_REACH) {
		uintptr_t frame[2];

		if (arch_probe_read(frame, (const void *)bp, sizeof frame) || !frame[1])
			break;
		addresses[n++] = frame[1];
		if (frame[0] <= bp)
			break;
		bp = frame[0];
	}
	return n;
}
