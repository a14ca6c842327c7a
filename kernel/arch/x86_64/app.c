/*
 * What threads of an application have and the kernel's own do not: the way in by SYSCALL, the FS base, the registers of FPU and
 * vector units. The kernel is compiled to use none of these, so they hold the application's values all the time that its
 * thread is on a CPU, and change hands only at a switch. A CPU is set up for it when it first switches to such a thread.
 * XSAVE: Intel SDM vol. 1, chapter 13; FXSAVE: 10.5.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpuid.h"
#include "kernel/arch/x86_64/regs.h"
#include "kernel/arch/x86_64/trap.h"
#include "lib/string.h"
#include "lib/util.h"

/* x87, SSE, AVX, AVX-512. Not AMX and PKRU: they need the application to ask, by calls that are not there. */
#define FEATURES_KNOWN 0xe7ul
#define FEATURES_LEGACY 0x3ul
#define FXSAVE_SIZE 512
#define XSAVE_HEADER_SIZE 64
#define CPUID_XSAVE 0xdu

/* Words of the legacy area, and what they are when a program starts (Linux and the psABI, 3.2.3). */
#define FPU_CONTROL 0 /* 16 bits */
#define FPU_CONTROL_START 0x37f
#define FPU_MXCSR 24
#define FPU_MXCSR_START 0x1f80

/* The same on every CPU. */
static uint64_t features; /* XCR0; FEATURES_LEGACY without XSAVE; 0: not looked yet */
static bool has_xsave, has_rdtscp;
static size_t fpu_size;
static PERCPU(bool, is_ready);
static PERCPU(struct arch_app *, loaded); /* whose registers this CPU has */
PERCPU(uintptr_t, syscall_sp);

static uint64_t cpu_features(void)
{
	struct cpuid leaf = cpuid_leaf(CPUID_BASIC, CPUID_XSAVE, 0);
	uint64_t known = (leaf.a | (uint64_t)leaf.d << 32) & FEATURES_KNOWN;

	return known | FEATURES_LEGACY;
}

static void xcr0_set(uint64_t value)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void cpu_set_up(void)
{
	has_xsave = cpuid_1_ecx() & CPUID_1_ECX_XSAVE;
	if (has_xsave) {
		features = cpu_features();
		write_cr4(read_cr4() | CR4_OSXSAVE);
		xcr0_set(features);
		fpu_size = cpuid_leaf(CPUID_BASIC, CPUID_XSAVE, 0).b;
	} else {
		features = FEATURES_LEGACY;
		fpu_size = FXSAVE_SIZE;
	}
	has_rdtscp = cpuid_leaf(CPUID_EXTENDED, CPUID_EXTENDED_FEATURES, 0).d & CPUID_EXT_EDX_RDTSCP;
	if (has_rdtscp)
		write_msr(MSR_TSC_AUX, arch_upcalls.cpu_nr());
	write_msr(MSR_STAR, (uint64_t)SELECTOR_CODE << 32);
	write_msr(MSR_LSTAR, (uintptr_t)syscall_entry);
	write_msr(MSR_SFMASK, FLAGS_IF | FLAGS_TF | FLAGS_DF | FLAGS_NT | FLAGS_AC);
	percpu_write(is_ready, true);
}

/* Sets this CPU up if it was not; features and sizes are known then. */
static inline void cpu_ensure(void)
{
	unsigned long flags;

	if (likely(percpu_read(is_ready)))
		return;
	flags = arch_irq_save();
	cpu_set_up();
	arch_irq_restore(flags);
}

static inline void fpu_save(void *area)
{
	if (likely(has_xsave))
		__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static inline void fpu_restore(const void *area)
{
	if (likely(has_xsave))
		__asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

/*
 * From arch_context_switch; interrupts disabled. The kernel's own threads leave the registers alone, so one that comes back to
 * the CPU that still has them needs no loading.
 */
void app_switch(struct arch_context *prev, struct arch_context *next)
{
	struct arch_app *app = next->app, **here = percpu_this(loaded);

	cpu_ensure();
	if (prev->app)
		fpu_save(prev->app->fpu);
	if (!app || (app == *here && app->loaded_on == here))
		return;
	fpu_restore(app->fpu);
	write_msr(MSR_FS_BASE, app->fs_base);
	*here = app;
	app->loaded_on = here;
}

size_t arch_app_size(void)
{
	cpu_ensure();
	return sizeof(struct arch_app) + fpu_size;
}

static void area_start(uint8_t *area)
{
	const uint16_t control = FPU_CONTROL_START;
	const uint32_t mxcsr = FPU_MXCSR_START;

	memset(area, 0, has_xsave ? FXSAVE_SIZE + XSAVE_HEADER_SIZE : FXSAVE_SIZE);
	memcpy(area + FPU_CONTROL, &control, sizeof(control));
	memcpy(area + FPU_MXCSR, &mxcsr, sizeof(mxcsr));
}

void arch_app_init(struct arch_app *app, const struct arch_app *from)
{
	unsigned long flags;

	cpu_ensure();
	memset(app, 0, arch_app_size());
	app->fs_base = 0;
	if (!from) {
		area_start(app->fpu);
		return;
	}
	/* The calling thread's registers are in the CPU, and may not leave it meanwhile. */
	flags = arch_irq_save();
	fpu_save(app->fpu);
	arch_irq_restore(flags);
	app->fs_base = from->fs_base;
}

void arch_app_fs_base_set(struct arch_app *app, uintptr_t fs_base)
{
	unsigned long flags = arch_irq_save();

	app->fs_base = fs_base;
	write_msr(MSR_FS_BASE, fs_base);
	arch_irq_restore(flags);
}

struct trapframe *arch_app_frame(void)
{
	return (struct trapframe *)percpu_read(trap_stack.top) - 1;
}

void arch_app_enter(const struct trapframe *frame)
{
	struct trapframe start = *frame;

	arch_irq_disable();
	start.cs = SELECTOR_CODE;
	start.ss = SELECTOR_DATA;
	start.flags = (frame->flags & ~(uint64_t)FLAGS_NT) | FLAGS_FIXED | FLAGS_IF;
	trap_return_to(&start, percpu_read(trap_stack.top));
}

size_t arch_fpu_size(void)
{
	cpu_ensure();
	return fpu_size;
}

uint64_t arch_fpu_features(void)
{
	cpu_ensure();
	return features;
}

bool arch_fpu_has_xsave(void)
{
	cpu_ensure();
	return has_xsave;
}

int arch_fpu_save_user(void *area)
{
	return fpu_save_checked(area, has_xsave);
}

/*
 * Into the CPU at once: an area that an application made up raises #GP where it is not well-formed, which the exception
 * table turns into an error. What was loaded by then is what the application sees until its signal.
 */
int arch_fpu_restore_user(const void *area)
{
	return fpu_restore_checked(area, has_xsave);
}

unsigned arch_fpu_exceptions(unsigned vector)
{
	uint16_t control, status;
	uint32_t mxcsr;

	if (vector == VECTOR_SIMD) {
		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		return mxcsr & ~(mxcsr >> 7) & 0x3f;
	}
	__asm__ volatile("fnstcw %0" : "=m"(control));
	__asm__ volatile("fnstsw %0" : "=m"(status));
	return status & ~(unsigned)control & 0x3f;
}

bool arch_app_has_cpu_nr(void)
{
	cpu_ensure();
	return has_rdtscp;
}

uint32_t arch_hwcap(void)
{
	uint32_t a, b, c, d;

	cpuid(1, 0, &a, &b, &c, &d);
	return d;
}
