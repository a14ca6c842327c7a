/* Starting the other CPUs: see ap_trampoline.S for what they run first. */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/cpuid.h"
#include "kernel/arch/x86_64/image.h"
#include "kernel/arch/x86_64/regs.h"
#include "lib/errno.h"
#include "lib/string.h"

/* What ap_trampoline.S has at ap_trampoline_words. */
struct trampoline_words {
	uint16_t gdt_limit;
	uint32_t gdt_base;
	uint32_t far_offset;
	uint16_t far_selector;
	uint32_t cr0, cr3, cr4, efer;
	uint64_t entry;
} __attribute__((packed));

extern const char ap_trampoline[], ap_trampoline_words[], ap_trampoline_end[];
extern const char ap_trampoline_gdt[], ap_trampoline_long_mode[];
void ap_entry(void);

/* At the top of the stack of the CPU that it is for. ap_trampoline.S knows next and apic_id. */
struct ap_request {
	struct ap_request *next;
	uint32_t apic_id;
	void *percpu_area;
	void (*entry)(void *arg);
	void *arg;
} __attribute__((aligned(16)));

/* Only the boot CPU adds, at the front, and nothing is taken away: the others may read it at any time. */
struct ap_request *ap_requests;

void ap_main(struct ap_request *request) __attribute__((noreturn));

static paddr_t trampoline; /* its page; 0 until there is one */
static bool trampoline_ready;

void ap_main(struct ap_request *request)
{
	write_cr4(CR4_KERNEL | CR4_PGE);
	arch_cpu_init(request->percpu_area);
	request->entry(request->arg);
	__builtin_unreachable();
}

/* Once it has a page it keeps that, but is ready only when mapped: for as long as CPUs start, and without write permission. */
static int trampoline_make(void)
{
	struct trampoline_words words = { .gdt_limit = 15, .far_selector = 8 };
	paddr_t page;
	char *copy;

	if (!trampoline)
		trampoline = arch_upcalls.low_page_alloc();
	page = trampoline;
	if (!page || arch_pt_map(&arch_kernel_aspace, page, page, PAGE_SIZE, PT_READ | PT_EXEC))
		return -ENOMEM;
	copy = arch_phys_to_virt(page);
	words.gdt_base = page + (uintptr_t)(ap_trampoline_gdt - ap_trampoline);
	words.far_offset = page + (uintptr_t)(ap_trampoline_long_mode - ap_trampoline);
	words.cr0 = CR0_KERNEL;
	words.cr3 = arch_kernel_aspace.root; /* in the image, so below 4 GiB */
	words.cr4 = CR4_KERNEL;
	words.efer = EFER_SCE | EFER_LME | EFER_NXE;
	words.entry = (uintptr_t)ap_entry;
	memcpy(copy, ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
	memcpy(copy + (ap_trampoline_words - ap_trampoline), &words, sizeof(words));
	trampoline_ready = true;
	return 0;
}

/* About 1 us for each: an ISA bus cycle on real hardware. */
static void io_delay(unsigned us)
{
	while (us--)
		arch_out8(0x80, 0);
}

/*
 * Intel SDM vol. 3, 9.4.4: INIT, 10 ms, start-up, 200 us, start-up. The waits are for real hardware; a hypervisor's CPUs need
 * neither them nor the second start-up.
 */
static void start_send(uint32_t apic_id)
{
	uint32_t startup = APIC_COMMAND_ASSERT | APIC_DELIVER_STARTUP | (uint32_t)(trampoline >> PAGE_SHIFT);

	apic_command(apic_id, APIC_COMMAND_ASSERT | APIC_DELIVER_INIT);
	if (cpuid_is_hypervisor()) {
		apic_command(apic_id, startup);
		return;
	}
	io_delay(10000);
	apic_command(apic_id, startup);
	io_delay(200);
	apic_command(apic_id, startup);
}

int arch_cpu_start_prepare(uint32_t apic_id)
{
	/* In xAPIC mode ids have 8 bits; all ones means every CPU, this one too. */
	if (apic_id >= (apic_page ? 0xffu : 0xffffffffu))
		return -EINVAL;
	return trampoline_ready ? 0 : trampoline_make();
}

void arch_cpu_start(uint32_t apic_id, void *percpu_area, void *stack_top, void (*entry)(void *arg), void *arg)
{
	struct ap_request *request = (struct ap_request *)stack_top - 1;

	*request = (struct ap_request){ ap_requests, apic_id, percpu_area, entry, arg };
	__atomic_store_n(&ap_requests, request, __ATOMIC_RELEASE);
	start_send(apic_id);
}

void arch_cpu_start_done(void)
{
	if (!trampoline_ready)
		return;
	trampoline_ready = false;
	arch_pt_unmap(&arch_kernel_aspace, trampoline, PAGE_SIZE);
	arch_tlb_flush(trampoline, PAGE_SIZE);
}
