/*
 * What the kernel asks of a CPU architecture, and what an architecture asks of the kernel above it (struct arch_upcalls).
 * Everything that depends on the ring, the page-table format or the interrupt entry is behind this line.
 * Unit tests on the host put their own file of this name in front of it.
 */
#ifndef KERNEL_ARCH_ARCH_H
#define KERNEL_ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* irq save/restore, cpu_relax, ticks, per-CPU data, port I/O: inline. */
#include "kernel/arch/x86_64/inline.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define LARGE_PAGE_SIZE (1ul << 21)
#define HUGE_PAGE_SIZE (1ul << 30)
#define CPU_MAX 256

typedef uint64_t paddr_t;
typedef uint64_t pte_t; /* an entry of a page table, see pte.h */

/* ---- Address space ---------------------------------------------------------------------------------------------- */

/* Page protections. Write and execute together are refused (-EINVAL) unless PT_WX_ALLOWED is given (JIT areas). */
enum pt_prot {
	PT_READ = 1,
	PT_WRITE = 2,
	PT_EXEC = 4,
	PT_UNCACHED = 8, /* device memory */
	PT_WX_ALLOWED = 16,
	/* Of no meaning to the CPU; what the address space keeps in its entries (mem/vm_fault.c). Lower half only. */
	PT_OWNED = 32,	 /* the entry holds a reference to its struct page */
	PT_PRIVATE = 64, /* anonymous, or a private copy: not the page of an object */
};

/* A tree of page tables. The kernel half (upper) is shared by all of them. */
struct arch_aspace {
	paddr_t root;
	uint64_t nr_tables; /* below the root in the lower half; arch_pt_entry and arch_pt_prune count */
};
extern struct arch_aspace arch_kernel_aspace;

/*
 * Address spaces of programs. The first one made is the kernel's own root with its lower half; each other one has a root of
 * its own, and in it the kernel half. 0, -ENOMEM. destroy: nothing is mapped in the lower half any more, and no CPU runs on
 * it (but in the case of the first).
 */
int arch_aspace_create(struct arch_aspace *as);
void arch_aspace_destroy(struct arch_aspace *as);

/*
 * Maps [VA, VA+LEN) to [PA, PA+LEN) with the largest pages that alignment and CPU allow. All page-aligned. -EEXIST when
 * a page is mapped already, -EINVAL for protections that are refused or lack PT_READ, -ENOMEM when no table page can be
 * had (what was mapped before stays). Callers that change the same range of one aspace serialise; different ranges need
 * no lock. Needs no TLB flush.
 */
int arch_pt_map(struct arch_aspace *as, uintptr_t va, paddr_t pa, size_t len, unsigned prot);
/* Unmaps whatever is mapped there; splits large pages (-ENOMEM). The caller flushes TLBs (cpu_tlb_shootdown). */
int arch_pt_unmap(struct arch_aspace *as, uintptr_t va, size_t len);
/* Changes protections of what is mapped there; splits large pages; -ENOMEM as above. The caller flushes. */
int arch_pt_protect(struct arch_aspace *as, uintptr_t va, size_t len, unsigned prot);
/* True when VA is mapped; then *PA and *PROT (either may be NULL) say to what. */
bool arch_pt_lookup(struct arch_aspace *as, uintptr_t va, paddr_t *pa, unsigned *prot);

/*
 * The lower half, entry by entry (pte.h says what is in one). All: whoever calls serialises what is done to one aspace.
 *
 * arch_pt_entry: the entry of the 4 KiB page at VA, present or not, tables made on demand when MAKE; NULL: no table
 * (or no memory
 * for one), or a large page is there. arch_pt_entry_large: the same for the entry of a 2 MiB page.
 */
pte_t *arch_pt_entry(struct arch_aspace *as, uintptr_t va, bool make);
pte_t *arch_pt_entry_large(struct arch_aspace *as, uintptr_t va, bool make);
/*
 * If a large page reaches across VA, makes 512 small entries of it. 1: did so, *PA is the 2 MiB block; 0: there is
 * none; -ENOMEM.
 * Nobody needs to flush for this.
 */
int arch_pt_split(struct arch_aspace *as, uintptr_t va, paddr_t *pa);
/* Calls visit(arg, entry, va, size) for each entry of [VA, END) that is not 0; no large page reaches across either. */
typedef void pt_visit(void *arg, pte_t *entry, uintptr_t va, size_t size);
void arch_pt_visit(struct arch_aspace *as, uintptr_t va, uintptr_t end, pt_visit *visit, void *arg);
/*
 * Unlinks the tables that lie wholly in [VA, END), a range in which nothing is mapped, and calls drop(arg, pa) for
 * each: they are
 * to be freed by arch_table_free after a flush of every TLB. arch_pt_prune_empty: all tables without a present entry.
 */
typedef void pt_drop(void *arg, paddr_t table);
void arch_pt_prune(struct arch_aspace *as, uintptr_t va, uintptr_t end, pt_drop *drop, void *arg);
void arch_pt_prune_empty(struct arch_aspace *as, pt_drop *drop, void *arg);
void arch_table_free(paddr_t table);

/* This CPU's TLB only. LEN may exceed what is worth flushing page by page; then everything goes. */
void arch_tlb_flush(uintptr_t va, size_t len);

/*
 * The direct map: all RAM at one random base, readable and writable, never executable, without the pages of the kernel
 * image itself. It fills on first use. arch_physmap_add() makes [PA, PA+LEN) reachable and returns its address there,
 * NULL when it is beyond the CPU's physical address width or tables run out; adding twice is harmless and cheap.
 * Memory handed out by the page allocator is always in it. Callable from the first C in the kernel on; needs no lock.
 */
void *arch_physmap_add(paddr_t pa, size_t len);
/* Only for addresses that arch_physmap_add has covered. */
static inline void *arch_phys_to_virt(paddr_t pa);
static inline paddr_t arch_virt_to_phys(const void *va);
/* First address past the physical addresses that the CPU can make. */
paddr_t arch_phys_limit(void);

/* Randomised layout, decided once at boot. The image is [image_phys, image_phys + image_len), link base 1 MiB. */
struct arch_layout {
	uintptr_t image_virt; /* where the image's first byte is now */
	paddr_t image_phys;
	size_t image_len;
	uintptr_t slide;	       /* image_virt - link address */
	uintptr_t physmap_base;	       /* 1 GiB aligned */
	uintptr_t memmap_base;	       /* struct page array: room for PHYS_MAX / PAGE_SIZE entries of up to 64 bytes */
	uintptr_t vmap_base, vmap_len; /* kernel stacks, device memory, per-CPU areas */
	uintptr_t boot_stack_bottom, boot_stack_top;
};
extern struct arch_layout arch_layout;
/* Ends the time in which data in section .bss.protected may be written. Boot CPU, before others start. */
void arch_protect(void);

#define PHYS_MAX (1ul << 46)

/* ---- Threads ---------------------------------------------------------------------------------------------------- */

struct arch_app;
struct trapframe;

/* What a thread that is not running needs to go on: all else is on its stack. */
struct arch_context {
	uintptr_t sp;
	struct arch_app *app; /* NULL: the kernel's own thread, which has no state beyond that */
};

/* The first switch to CTX calls entry(arg) on the stack that ends at STACK_TOP (16-byte aligned), interrupts disabled. */
void arch_context_init(struct arch_context *ctx, void *stack_top, void (*entry)(void *arg), void *arg);
/* Saves into PREV, goes on with NEXT. Interrupts disabled. Returns when somebody switches back to PREV. */
void arch_context_switch(struct arch_context *prev, struct arch_context *next);
/*
 * Tells interrupt entry the bounds of the running thread's kernel stack: a vector that arrives while the stack pointer is
 * outside of it runs at its top, one that arrives inside of it runs below the stack pointer.
 */
void arch_kernel_stack_set(uintptr_t bottom, uintptr_t top);

/* ---- Applications ----------------------------------------------------------------------------------------------- */

/*
 * An application's thread enters the kernel by SYSCALL, interrupts and exceptions. Each leaves a struct trapframe with its
 * registers at the very top of the thread's kernel stack; the way out takes them from there.
 *
 * For system calls frame->vector is TRAP_SYSCALL and frame->error the number of the call. Then the way out leaves rcx and r11
 * as SYSCALL made them. Who changes what the frame says of ip, flags, cx or r11 sets vector to TRAP_CHANGED, and all
 * registers are taken from the frame.
 */
#define TRAP_SYSCALL 0x100
#define TRAP_CHANGED 0x101

/* State of an application's thread that the kernel itself does not use: FS base, and FPU and vector registers. */
struct arch_app {
	uintptr_t fs_base;
	void *loaded_on; /* the CPU whose registers were loaded from here last */
	uint8_t fpu[] __attribute__((aligned(64)));
};
#define ARCH_APP_ALIGN 64
/* Bytes of a struct arch_app with its registers. Threads only. */
size_t arch_app_size(void);
/* As at the start of a program, or (FROM not NULL) as the calling thread's registers are now; fs_base is the caller's. */
void arch_app_init(struct arch_app *app, const struct arch_app *from);
/* The calling thread's FS base, now and whenever it runs. */
void arch_app_fs_base_set(struct arch_app *app, uintptr_t fs_base);
/* Goes to the application with the registers of FRAME, which is copied; from the thread's own stack, never back. */
void arch_app_enter(const struct trapframe *frame) __attribute__((noreturn));
/* The frame at the top of the calling thread's kernel stack: see above. Preemption may be enabled. */
struct trapframe *arch_app_frame(void);

/*
 * Registers of the calling thread to and from memory of the application, as signal frames hold them: an XSAVE area,
 * or the 512
 * bytes of FXSAVE where the CPU has no XSAVE; 64-byte aligned. What is loaded may be hostile. 0, -EFAULT, -EINVAL.
 */
size_t arch_fpu_size(void);
uint64_t arch_fpu_features(void); /* XCR0; 3 where there is no XSAVE */
bool arch_fpu_has_xsave(void);
int arch_fpu_save_user(void *area);
int arch_fpu_restore_user(const void *area);
/*
 * The floating-point exceptions that are flagged and not masked, after exception VECTOR (16 or 19) of the calling
 * thread. Bits
 * as in MXCSR and the x87 status word: invalid, denormal, division by zero, overflow, underflow, precision.
 */
unsigned arch_fpu_exceptions(unsigned vector);

/*
 * Whether an application can ask the CPU for its number (arch_upcalls.cpu_nr), by RDTSCP and where there is RDPID by
 * that: bits
 * 0 to 11 of IA32_TSC_AUX, as on Linux; the bits above, the number of the NUMA node, are 0. Threads only.
 */
bool arch_app_has_cpu_nr(void);

/* What CPUID 1 EDX says: AT_HWCAP. */
uint32_t arch_hwcap(void);

/* ---- CPUs, interrupts, timer ------------------------------------------------------------------------------------ */

/* Registers at an interrupt or exception, in the order of the entry code's pushes. */
struct trapframe {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t bp, di, si, dx, cx, bx, ax;
	uint64_t vector, error;
	uint64_t ip, cs, flags, sp, ss;
};
/* In trapframe.error of a page fault (Intel SDM vol. 3, 4.7). */
enum { FAULT_PRESENT = 1, FAULT_WRITE = 2, FAULT_RESERVED = 8, FAULT_FETCH = 16 };

/* Vectors. 0..31 are the CPU's exceptions; the rest is handed out by core/irq.c between the two bounds. */
enum {
	VECTOR_NMI = 2,
	VECTOR_DOUBLE_FAULT = 8,
	VECTOR_NOT_PRESENT = 11,
	VECTOR_PROTECTION = 13,
	VECTOR_PAGE_FAULT = 14,
	VECTOR_MACHINE_CHECK = 18,
	VECTOR_SIMD = 19,
	VECTOR_IRQ_FIRST = 0x30,
	VECTOR_IRQ_LAST = 0xef,
	VECTOR_TIMER = 0xf0, /* local APIC timer */
	VECTOR_CALL = 0xf1,  /* core/smp.c: run queued calls */
	VECTOR_RESCHEDULE = 0xf2,
	VECTOR_ERROR = 0xfe, /* local APIC error */
	VECTOR_SPURIOUS = 0xff,
};

/*
 * Makes VECTOR enter the kernel (arch_upcalls.irq). What comes on a vector that is not open goes to arch_upcalls.stray; the
 * instruction INT on it raises #GP and so panics.
 */
void arch_vector_open(unsigned vector);

/*
 * What the architecture calls in the kernel above it. One constant instance, kernel/init/upcalls.c. page_fault, syscall,
 * leave, app_fault: NULL in an image that runs no application.
 * start: the boot CPU is ready: final address space, descriptor tables, boot stack. ENTRY: enum boot_entry; INFO: what the
 *   boot protocol left in its register. Does not return.
 * irq: a vector >= 32; interrupts disabled, on the thread's kernel stack. It acknowledges the local APIC itself where
 *   the vector needs that (arch_irq_ack), and reschedules on its way out if it must.
 * stray: an interrupt on a vector that is not open; otherwise like irq. It acknowledges the local APIC.
 * page_fault: a page fault, before anything else is tried. True: the page is there now, go on at frame->ip.
 * fault: an exception that neither that nor the exception table has mended. True: handled, go on at frame->ip. False: the
 *   entry code panics with the frame.
 * syscall: the application made a system call. Comes with interrupts disabled, and returns so.
 * leave: an interrupt or exception goes back to the application; interrupts disabled, and again when it returns.
 * app_fault: an exception in the application, which page_fault and fault did not want. Interrupts as in the application.
 * nmi: on the NMI stack, may interrupt anything.
 * panic: does not return.
 * cpu_nr: the number of the running CPU; interrupts disabled.
 * table_page_alloc: one zeroed page for page tables, 0 when there is none. table_page_free: gives such a page back.
 * low_page_alloc: one page from 64 KiB to 1 MiB, 0 when there is none.
 */
struct arch_upcalls {
	void (*start)(unsigned entry, uint64_t info);
	void (*irq)(struct trapframe *frame);
	void (*stray)(unsigned vector);
	bool (*page_fault)(struct trapframe *frame, uintptr_t address);
	bool (*fault)(struct trapframe *frame, uintptr_t fault_address);
	void (*syscall)(struct trapframe *frame);
	void (*leave)(struct trapframe *frame);
	void (*app_fault)(struct trapframe *frame, uintptr_t fault_address);
	void (*nmi)(struct trapframe *frame);
	void (*panic)(const struct trapframe *frame, const char *format, ...)
		__attribute__((noreturn, format(printf, 2, 3)));
	unsigned (*cpu_nr)(void);
	paddr_t (*table_page_alloc)(void);
	void (*table_page_free)(paddr_t pa);
	paddr_t (*low_page_alloc)(void);
};
extern const struct arch_upcalls arch_upcalls;

/* Local APIC. ids are hardware APIC ids. arch_apic_init: this CPU's; x2APIC where CPUID has it. */
void arch_apic_init(void);
uint32_t arch_apic_id(void);
void arch_irq_ack(void);
/* Opens this CPU to the interrupt pin that the 8259 pair drives, which arch_apic_init leaves masked. */
void arch_irq_line_enable(void);
void arch_ipi_send(uint32_t apic_id, unsigned vector);
void arch_ipi_send_nmi(uint32_t apic_id);
/*
 * One-shot timer of this CPU: fires VECTOR_TIMER about DELTA_NS from now (0: as soon as possible; UINT64_MAX: never).
 * It may fire early, never lose an event: whoever armed it looks at the clock and arms it again. Interrupts disabled.
 * Before arch_apic_init it only takes note, and fires after that.
 */
void arch_timer_arm(uint64_t delta_ns);

/* Waits for an interrupt with interrupts enabled, returns after it with interrupts enabled. Call with them disabled. */
void arch_cpu_idle(void);
/* Stops this CPU for good. */
void arch_cpu_halt(void) __attribute__((noreturn));
/* Loads this CPU's descriptor tables and IST stacks. AREA: its per-CPU data, see PERCPU. */
void arch_cpu_init(void *percpu_area);
/*
 * Before arch_cpu_start: whether it can send the start; 0, -ENOMEM (no low page for the trampoline), -EINVAL (an id that the
 * local APIC cannot address).
 */
int arch_cpu_start_prepare(uint32_t apic_id);
/*
 * Starts another CPU: it runs entry(arg) on STACK_TOP with the kernel's page tables, interrupts disabled, after
 * arch_cpu_init(PERCPU_AREA). Returns as soon as the start is sent. Area and stack are the CPU's from then on: it may come
 * up at any time.
 */
void arch_cpu_start(uint32_t apic_id, void *percpu_area, void *stack_top, void (*entry)(void *arg), void *arg);
/* All CPUs that were started are up: the trampoline page is no longer executable. Once, and no start after it. */
void arch_cpu_start_done(void);

/* A way out that needs nothing of the machine: the CPU shuts down, which resets it. */
void arch_machine_reset(void) __attribute__((noreturn));

/* Up to LEN bytes from RDSEED, else RDRAND; returns how many it got (0 where the CPU has neither). */
size_t arch_random_hw(void *buf, size_t len);
/* 64 bits of loader, CPU and timing noise, taken before the kernel was relocated; mixed in by random_init, then wiped. */
extern uint64_t arch_boot_noise[8];

/* Walks frame pointers from BP (0: the caller's frame), at most MAX return addresses; stays inside the stack it began in. */
unsigned arch_backtrace(uintptr_t bp, uintptr_t *addresses, unsigned max);

/* crc32c of lib/checksum.h, by the CPU's instruction where it has one. */
uint32_t arch_crc32c(uint32_t crc, const void *buf, size_t len);

/* Copies LEN bytes that may not be mapped: 0, or -EFAULT after those that are. For panic reports and probes. */
int arch_probe_read(void *dst, const void *src, size_t len);

/*
 * Memory that may not be mapped, nor come when it is touched (usercopy.S). Copies and clears return how many bytes
 * they could NOT do:
 * all before those are done. The words are aligned or not, as the CPU likes it: 0 or -EFAULT.
 */
size_t arch_copy_checked(void *dst, const void *src, size_t len);
size_t arch_clear_checked(void *dst, size_t len);
/* Copies up to and with a NUL, at most SIZE bytes. How long the string is without it; SIZE: there was no NUL; -EFAULT. */
long arch_copy_string_checked(char *dst, const char *src, size_t size);
int arch_load32_checked(const uint32_t *p, uint32_t *value);
int arch_store32_checked(uint32_t *p, uint32_t value);
int arch_cmpxchg32_checked(uint32_t *p, uint32_t expected, uint32_t desired, uint32_t *seen);

static inline void *arch_phys_to_virt(paddr_t pa)
{
	return (void *)(arch_layout.physmap_base + pa);
}

/* Where the kernel can read memory that lies in the image, or else is in the direct map. */
static inline void *arch_phys_to_kernel(paddr_t pa)
{
	if (pa - arch_layout.image_phys < arch_layout.image_len)
		return (void *)(arch_layout.image_virt + (pa - arch_layout.image_phys));
	return arch_phys_to_virt(pa);
}

static inline paddr_t arch_virt_to_phys(const void *va)
{
	return (paddr_t)((uintptr_t)va - arch_layout.physmap_base);
}

#include "kernel/arch/x86_64/pte.h"

#endif
