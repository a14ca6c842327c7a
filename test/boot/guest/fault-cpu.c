/*
 * Does one forbidden thing, named by its argument (`-- null-read`), and should never get past it: the CPU and the page
 * tables must stop it, and the panic must name it. Ends with status 1 when nothing did.
 */
#include <limits.h>

#include "kernel/arch/arch.h"
#include "kernel/core/cpu.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/core/thread.h"
#include "kernel/core/timer.h"
#include "kernel/mem/vmap.h"
#include "lib/string.h"
#include "lib/util.h"

/* Addresses go through here, so that the compiler cannot see what is done to them. */
static void *hide(const void *address)
{
	__asm__("" : "+r"(address));
	return (void *)(uintptr_t)address;
}

static void write_to(const void *address)
{
	*(volatile char *)hide(address) = 1;
}

static void call(const void *address)
{
	((void (*)(void))hide(address))();
	__asm__ volatile(""); /* not a jump: the caller is to be seen in the backtrace */
}

static void null_read(void)
{
	(void)*(volatile char *)hide((void *)0x10);
}

static void null_write(void)
{
	write_to((void *)0xfff8);
}

static void null_call(void)
{
	call(NULL);
}

static void text_write(void)
{
	write_to((const void *)null_read);
}

static void rodata_write(void)
{
	static const char text[] = "constant";

	write_to(text);
}

static void relocated_write(void)
{
	static const char *const table[] = { "relocated", "once" };

	write_to(table);
}

static void layout_write(void)
{
	write_to(&arch_layout);
}

static const uint8_t return_code[] = { 0xc3 };

static void data_execute(void)
{
	static uint8_t code[1];

	memcpy(code, return_code, 1);
	call(code);
}

static void stack_execute(void)
{
	uint8_t code[1];

	memcpy(code, return_code, 1);
	call(code);
}

static void heap_execute(void)
{
	uint8_t *code = vmap_alloc(PAGE_SIZE);

	memcpy(code, return_code, 1);
	call(code);
}

static void direct_map_execute(void)
{
	call(arch_physmap_add(0x1000, 1));
}

static void image_alias_read(void)
{
	/* The image is not in the direct map: no second address could be used to write to its code. */
	(void)*(volatile char *)hide(arch_phys_to_virt(arch_layout.image_phys));
}

static void load_address_read(void)
{
	(void)*(volatile char *)hide((void *)arch_layout.image_phys);
}

/* Not a tail call, and deeper than any stack. */
static unsigned recurse(unsigned depth)
{
	volatile char frame[256];

	frame[depth % sizeof(frame)] = (char)depth;
	return depth == UINT_MAX ? 0 : recurse(depth + 1) + (unsigned char)frame[0];
}

static void stack_overflow(void)
{
	recurse(0);
}

static int recurse_thread(void *arg)
{
	(void)arg;
	recurse(0);
	return 0;
}

static void thread_stack_overflow(void)
{
	struct thread *thread;

	if (!thread_create(&thread, "deep", recurse_thread, NULL, 0))
		thread_join(thread);
}

static void stack_smash(void)
{
	char buf[16];

	memset(hide(buf), 'A', 64);
}

static void area_guard_write(void)
{
	write_to((char *)vmap_alloc(PAGE_SIZE) + PAGE_SIZE);
}

static void stack_pointer_lost(void)
{
	__asm__ volatile("mov %0, %%rsp; push %%rax" ::"r"(arch_layout.vmap_base + 64));
}

/* The report itself then meets addresses that it cannot read, on the panic stack. */
static void stack_pointer_lost_call(void)
{
	__asm__ volatile("mov %0, %%rsp; jmp *%1" ::"r"(arch_layout.vmap_base + 64), "r"(arch_layout.vmap_base));
}

static void noncanonical_read(void)
{
	(void)*(volatile char *)hide((void *)0x8000000000000000);
}

static void divide(void)
{
	__asm__ volatile("div %0" ::"r"(0ul), "a"(1ul), "d"(0ul));
}

static void invalid_opcode(void)
{
	__asm__ volatile("ud2");
}

static void closed_vector(void)
{
	__asm__ volatile("int $0x80");
}

static void plain_panic(void)
{
	panic("on purpose: %d", 42);
}

static void fault_in_timer(struct timer *timer)
{
	(void)timer;
	null_write();
}

static void timer_fault(void)
{
	static struct timer timer;

	timer_init(&timer, fault_in_timer);
	timer_set(&timer, 0);
	thread_sleep(1000000000);
}

static int null_write_thread(void *arg)
{
	(void)arg;
	null_write();
	return 0;
}

/* On the last CPU, while the others run. */
static void other_cpu_fault(void)
{
	uint64_t mask[CPU_MAX / 64] = { 0 };
	struct thread *thread;

	cpu_wait_online();
	mask[0] = 1ul << (nr_cpus - 1);
	if (thread_create(&thread, "victim", null_write_thread, NULL, 0))
		return;
	thread_set_affinity(thread, mask);
	thread_join(thread);
}

static const struct {
	const char *name;
	void (*fn)(void);
} kinds[] = {
	{ "null-read", null_read },
	{ "null-write", null_write },
	{ "null-call", null_call },
	{ "text-write", text_write },
	{ "rodata-write", rodata_write },
	{ "relocated-write", relocated_write },
	{ "layout-write", layout_write },
	{ "data-execute", data_execute },
	{ "stack-execute", stack_execute },
	{ "heap-execute", heap_execute },
	{ "direct-map-execute", direct_map_execute },
	{ "image-alias-read", image_alias_read },
	{ "load-address-read", load_address_read },
	{ "stack-overflow", stack_overflow },
	{ "thread-stack-overflow", thread_stack_overflow },
	{ "stack-smash", stack_smash },
	{ "area-guard-write", area_guard_write },
	{ "stack-pointer-lost", stack_pointer_lost },
	{ "stack-pointer-lost-call", stack_pointer_lost_call },
	{ "noncanonical-read", noncanonical_read },
	{ "divide", divide },
	{ "invalid-opcode", invalid_opcode },
	{ "closed-vector", closed_vector },
	{ "panic", plain_panic },
	{ "timer-fault", timer_fault },
	{ "other-cpu-fault", other_cpu_fault },
};

int main(int argc, char **argv)
{
	for (unsigned i = 0; argc > 1 && i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(argv[1], kinds[i].name) != 0)
			continue;
		log_info("about to: %s", argv[1]);
		kinds[i].fn();
	}
	log_err("nothing stopped it");
	return 1;
}
