/*
 * One CPU's tables: segment descriptors, task state with the IST stacks, and the interrupt descriptors that all CPUs
 * share (Intel SDM vol. 3, 3.4.5, 6.14, 7.7).
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/image.h"
#include "kernel/arch/x86_64/msr.h"
#include "kernel/arch/x86_64/regs.h"
#include "kernel/arch/x86_64/trap.h"
#include "lib/util.h"

struct task_state {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7]; /* ist[0] is IST 1 */
	uint64_t reserved2;
	uint16_t reserved3, io_map;
} __attribute__((packed));

/* An interrupt descriptor. Low: offset 15..0, selector, IST, type, offset 31..16. High: offset 63..32. */
struct gate {
	uint64_t low, high;
};
#define GATE_INTERRUPT (0x8eul << 40) /* present, ring 0, 64-bit interrupt gate */

/* What LGDT and LIDT read begins at `limit`; before it room, so that `base` is aligned and can be relocated. */
struct table_pointer {
	uint16_t unused[3], limit;
	uintptr_t base;
};

enum { IST_IRQ = 1, IST_EXCEPTION, IST_NMI, IST_PANIC };

struct ist_stacks ist_stacks __attribute__((section(".bss.percpu_stacks"), aligned(4096)));

PERCPU(uintptr_t, percpu_delta_self);
PERCPU(struct trap_stack, trap_stack);
static PERCPU(struct task_state, task_state);
static PERCPU(uint64_t, descriptors[5]);
static struct gate gates[256] __attribute__((aligned(16)));

/*
 * Other CPUs may take VECTOR meanwhile if it is open already: then each word is replaced by the same value.
 */
static void gate_set(unsigned vector, const char *handler, unsigned ist)
{
	uintptr_t address = (uintptr_t)handler;
	struct gate *gate = &gates[vector];

	__atomic_store_n(&gate->high, address >> 32, __ATOMIC_RELAXED);
	__atomic_store_n(&gate->low,
			 (address & 0xffff0000) << 32 | GATE_INTERRUPT | (uint64_t)ist << 32 | SELECTOR_CODE << 16 |
				 (address & 0xffff),
			 __ATOMIC_RELEASE);
}

static void exception_gate_set(unsigned vector, unsigned ist)
{
	gate_set(vector, trap_exception_entries + vector * 16, ist);
}

static void exception_gates_set(void)
{
	for (unsigned vector = 0; vector < 32; vector++)
		exception_gate_set(vector, IST_EXCEPTION);
	exception_gate_set(VECTOR_NMI, IST_NMI);
	exception_gate_set(VECTOR_DOUBLE_FAULT, IST_PANIC);
	exception_gate_set(VECTOR_MACHINE_CHECK, IST_PANIC);
}

void arch_vector_open(unsigned vector)
{
	gate_set(vector, trap_irq_entries + (vector - TRAP_IRQ_FIRST) * 8, IST_IRQ);
}

bool vector_is_open(unsigned vector)
{
	return __atomic_load_n(&gates[vector].low, __ATOMIC_ACQUIRE);
}

static void task_state_set(struct task_state *tss, uint64_t *gdt, struct ist_stacks *ist)
{
	uintptr_t base = (uintptr_t)tss;

	tss->ist[IST_IRQ - 1] = (uintptr_t)ist->entry + IST_ENTRY_SIZE / 2;
	tss->ist[IST_EXCEPTION - 1] = (uintptr_t)ist->entry + IST_ENTRY_SIZE;
	tss->ist[IST_NMI - 1] = (uintptr_t)ist->nmi + IST_NMI_SIZE;
	tss->ist[IST_PANIC - 1] = (uintptr_t)ist->panic + IST_PANIC_SIZE;
	tss->io_map = sizeof *tss;
	gdt[SELECTOR_TSS / 8] = (sizeof *tss - 1) | (base & 0xffffff) << 16 | 0x89ul << 40 | (base >> 24 & 0xff) << 56;
	gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

/* Unmaps the guard pages of a started CPU's area; early.c has never mapped the boot CPU's. */
static void guards_unmap(struct ist_stacks *ist)
{
	arch_pt_unmap(&arch_kernel_aspace, (uintptr_t)ist->panic_guard, PAGE_SIZE);
	arch_pt_unmap(&arch_kernel_aspace, (uintptr_t)ist->nmi_guard, PAGE_SIZE);
	arch_pt_unmap(&arch_kernel_aspace, (uintptr_t)ist->entry_guard, PAGE_SIZE);
}

static void descriptors_load(uint64_t *gdt)
{
	struct table_pointer gdtr = { .limit = sizeof(descriptors) - 1, .base = (uintptr_t)gdt };
	struct table_pointer idtr = { .limit = sizeof(gates) - 1, .base = (uintptr_t)gates };

	gdt[SELECTOR_CODE / 8] = 0x00209b0000000000;
	gdt[SELECTOR_DATA / 8] = 0x0000930000000000;
	__asm__ volatile("lgdt 6(%0)\n\t"
			 "push %1\n\t"
			 "lea 1f(%%rip), %%rax\n\t"
			 "push %%rax\n\t"
			 "lretq\n"
			 "1:\tmov %2, %%ss\n\t"
			 "ltr %w3\n\t"
			 "lidt 6(%4)"
			 :
			 : "r"(&gdtr), "i"(SELECTOR_CODE), "r"(SELECTOR_DATA), "r"(SELECTOR_TSS), "r"(&idtr)
			 : "rax", "memory");
}

void arch_cpu_init(void *percpu_area)
{
	uintptr_t delta = (uintptr_t)percpu_area - (uintptr_t)percpu_start;
	struct ist_stacks *ist = percpu_at(delta, ist_stacks);
	uint64_t *gdt = *percpu_at(delta, descriptors);

	write_msr(MSR_GS_BASE, delta);
	percpu_write(percpu_delta_self, delta);
	percpu_at(delta, trap_stack)->panic_top = (uintptr_t)ist->panic + IST_PANIC_SIZE;
	if (delta)
		guards_unmap(ist);
	else
		exception_gates_set();
	task_state_set(percpu_at(delta, task_state), gdt, ist);
	descriptors_load(gdt);
}

void arch_kernel_stack_set(uintptr_t bottom, uintptr_t top)
{
	struct trap_stack *stack = percpu_this(trap_stack);

	stack->bottom = bottom;
	stack->top = top;
	stack->room = top - bottom - STACK_MARGIN;
}

void arch_context_init(struct arch_context *ctx, void *stack_top, void (*entry)(void *arg), void *arg)
{
	uint64_t *sp = stack_top;

	*--sp = 0; /* keeps the stack aligned at the call in context_start, and ends a backtrace */
	*--sp = (uintptr_t)context_start;
	*--sp = 0;		  /* rbp */
	*--sp = (uintptr_t)entry; /* rbx */
	*--sp = (uintptr_t)arg;	  /* r12 */
	sp -= 3;		  /* r13, r14, r15: whatever is there */
	ctx->sp = (uintptr_t)sp;
}

void arch_cpu_idle(void)
{
	/* STI takes effect after the next instruction, so an interrupt cannot slip in before HLT. */
	__asm__ volatile("sti; hlt" ::: "memory");
}

void arch_cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" ::: "memory");
}

void arch_machine_reset(void)
{
	struct table_pointer none = { .limit = 0, .base = 0 };

	/*
	 * A page fault with no descriptor for it, nor for the double fault after it: the CPU shuts down, which resets the
	 * machine. (A page fault, because every monitor has to deliver those; not all emulate INT3.)
	 */
	__asm__ volatile("lidt 6(%0); movb $0, 0" ::"r"(&none) : "memory");
	arch_cpu_halt();
}
