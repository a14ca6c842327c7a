/*
 * Linux's struct rt_sigframe (arch/x86/include/asm/sigframe.h), from low to high addresses:
 *
 *	return address: the restorer, which calls rt_sigreturn     <- stack pointer at the handler's entry, 8 mod 16
 *	struct linux_ucontext                                      <- rdx
 *	struct linux_siginfo                                       <- rsi
 *	FXSAVE or XSAVE area, 64-byte aligned, and its end mark
 *	red zone of the interrupted function (psABI 3.2.2), or the end of the alternate stack
 *
 * All of it may be changed by the handler, and forged. Registers that decide about the kernel are not taken from it.
 */
#include "kernel/linux/signal_frame.h"

#include "kernel/arch/arch.h"
#include "kernel/mem/user.h"
#include "lib/errno.h"
#include "lib/string.h"

#define RED_ZONE 128
#define FPU_ALIGN 64
#define FXSAVE_SIZE 512
#define XSAVE_HEADER_SIZE 64
#define SYSCALL_LEN 2 /* bytes of the instruction */

/* What Linux shows for ring 3. Ours are not shown, and none is taken back. */
#define USER_CS 0x33
#define USER_SS 0x2b

/* Intel SDM vol. 1, 3.4.3 */
enum { FLAG_CF = 1, FLAG_PF = 4, FLAG_AF = 0x10, FLAG_ZF = 0x40, FLAG_SF = 0x80, FLAG_TF = 0x100, FLAG_DF = 0x400 };
enum { FLAG_OF = 0x800, FLAG_RF = 0x10000, FLAG_AC = 0x40000 };
#define FLAGS_RESTORED                                                                                                 \
	(FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_TF | FLAG_DF | FLAG_OF | FLAG_RF | FLAG_AC)

struct rt_frame {
	uint64_t restorer;
	struct linux_ucontext uc;
	struct linux_siginfo info;
};
_Static_assert(sizeof(struct rt_frame) == 440, "asm/sigframe.h, struct rt_sigframe");

/* Of an XSAVE area: what software put behind the FXSAVE part, and the header, which XSAVE does not write in full. */
struct fpu_middle {
	struct linux_fp_sw_bytes software;
	uint8_t header[XSAVE_HEADER_SIZE];
};

size_t signal_frame_size(void)
{
	return RED_ZONE + arch_fpu_size() + sizeof(uint32_t) + FPU_ALIGN + sizeof(struct rt_frame) + 16;
}

/*
 * ---- Push -------------------------------------------------------------------------------------------------------
 */

static void context_fill(struct linux_sigcontext *c, const struct trapframe *f, const struct signal_setup *setup)
{
	*c = (struct linux_sigcontext){
		.r8 = f->r8,
		.r9 = f->r9,
		.r10 = f->r10,
		.r11 = f->r11,
		.r12 = f->r12,
		.r13 = f->r13,
		.r14 = f->r14,
		.r15 = f->r15,
		.di = f->di,
		.si = f->si,
		.bp = f->bp,
		.bx = f->bx,
		.dx = f->dx,
		.ax = f->ax,
		.cx = f->cx,
		.sp = f->sp,
		.ip = f->ip,
		.flags = f->flags,
		.cs = USER_CS,
		.ss = USER_SS,
		.error = setup->trap->error,
		.trapno = setup->trap->nr,
		.cr2 = setup->trap->address,
		.oldmask = setup->mask,
	};
}

/* Saves the FPU's state at AREA. What XSAVE finds there it mixes with what it writes, so that is laid out first. */
static int fpu_push(uintptr_t area, size_t size)
{
	static const uint32_t end = FP_XSTATE_MAGIC2;
	struct fpu_middle middle = { 0 };
	size_t len = sizeof(middle.software);

	if (arch_fpu_has_xsave()) {
		middle.software = (struct linux_fp_sw_bytes){
			.magic1 = FP_XSTATE_MAGIC1,
			.extended_size = (uint32_t)size + sizeof(end),
			.xfeatures = arch_fpu_features(),
			.xstate_size = (uint32_t)size,
		};
		len = sizeof(middle);
	}
	if (user_write((void *)(area + FP_SW_BYTES_OFFSET), &middle, len))
		return -EFAULT;
	if (arch_fpu_has_xsave() && user_write((void *)(area + size), &end, sizeof(end)))
		return -EFAULT;
	return arch_fpu_save_user((void *)area);
}

static void handler_enter(struct trapframe *frame, const struct signal_setup *setup, uintptr_t at)
{
	frame->di = (uint64_t)setup->info->signo;
	frame->si = at + offsetof(struct rt_frame, info);
	frame->dx = at + offsetof(struct rt_frame, uc);
	frame->ax = 0; /* psABI: no vector registers, were the handler one with variable arguments */
	frame->ip = setup->handler;
	frame->sp = at;
	frame->flags &= ~(uint64_t)(FLAG_DF | FLAG_TF | FLAG_RF);
	frame->vector = TRAP_CHANGED;
}

int signal_frame_push(struct trapframe *frame, const struct signal_setup *setup)
{
	size_t fpu_size = arch_fpu_size();
	size_t fpu_len = arch_fpu_has_xsave() ? fpu_size + sizeof(uint32_t) : fpu_size;
	uintptr_t top = setup->stack_top ? setup->stack_top : frame->sp - RED_ZONE;
	uintptr_t fpu = ALIGN_DOWN(top - fpu_len, FPU_ALIGN);
	uintptr_t at = ALIGN_DOWN(fpu - sizeof(struct rt_frame), 16) - 8;
	struct rt_frame rt = { .restorer = setup->restorer };

	if (at > top || at < setup->stack_limit || !user_range_is_valid((void *)at, top - at) ||
	    !user_range_is_valid((void *)setup->handler, 1))
		return -EFAULT;
	rt.uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (arch_fpu_has_xsave() ? UC_FP_XSTATE : 0);
	rt.uc.stack = setup->stack;
	rt.uc.mask = setup->mask;
	context_fill(&rt.uc.context, frame, setup);
	rt.uc.context.fpstate = fpu;
	signal_info_encode(setup->info, &rt.info);
	if (user_write((void *)at, &rt, sizeof(rt)) || fpu_push(fpu, fpu_size))
		return -EFAULT;
	handler_enter(frame, setup, at);
	return 0;
}

/*
 * ---- Pop --------------------------------------------------------------------------------------------------------
 */

static void context_restore(struct trapframe *f, const struct linux_sigcontext *c)
{
	f->r8 = c->r8, f->r9 = c->r9, f->r10 = c->r10, f->r11 = c->r11;
	f->r12 = c->r12, f->r13 = c->r13, f->r14 = c->r14, f->r15 = c->r15;
	f->di = c->di, f->si = c->si, f->bp = c->bp, f->bx = c->bx;
	f->dx = c->dx, f->ax = c->ax, f->cx = c->cx, f->sp = c->sp;
	f->ip = c->ip;
	f->flags = (f->flags & ~(uint64_t)FLAGS_RESTORED) | (c->flags & FLAGS_RESTORED);
	f->vector = TRAP_CHANGED;
}

/* The area is one that XSAVE wrote here: whoever made another one knows only of the FXSAVE part. */
static bool area_is_xsave(uintptr_t area, size_t size)
{
	struct linux_fp_sw_bytes software;
	uint32_t end;

	if (!arch_fpu_has_xsave() || !user_range_is_valid((void *)area, size + sizeof(end)) ||
	    user_read(&software, (void *)(area + FP_SW_BYTES_OFFSET), sizeof(software)) ||
	    user_read(&end, (void *)(area + size), sizeof(end)))
		return false;
	return software.magic1 == FP_XSTATE_MAGIC1 && software.xstate_size == size && end == FP_XSTATE_MAGIC2;
}

/* Only x87 and SSE come from AREA (0: nothing), all else is as a new program has it. */
static int fpu_restore_legacy(uintptr_t area)
{
	static const uint16_t control = 0x37f;
	static const uint32_t mxcsr = 0x1f80;
	struct {
		uint8_t legacy[FXSAVE_SIZE];
		uint64_t features; /* of which a value is here */
		uint8_t header[XSAVE_HEADER_SIZE - 8];
	} __attribute__((aligned(FPU_ALIGN))) copy = { .features = 3 };

	if (!area) {
		memcpy(copy.legacy, &control, sizeof(control));
		memcpy(copy.legacy + 24, &mxcsr, sizeof(mxcsr));
	} else if (!user_range_is_valid((void *)area, FXSAVE_SIZE) ||
		   user_read(copy.legacy, (void *)area, FXSAVE_SIZE)) {
		return -EFAULT;
	}
	return arch_fpu_restore_user(&copy);
}

static int fpu_pop(uintptr_t area)
{
	if (area && IS_ALIGNED(area, FPU_ALIGN) && area_is_xsave(area, arch_fpu_size()))
		return arch_fpu_restore_user((void *)area);
	return fpu_restore_legacy(area);
}

int signal_frame_pop(struct trapframe *frame, uint64_t *mask, struct linux_stack *stack)
{
	uintptr_t at = frame->sp - sizeof(uint64_t); /* the restorer's address was popped by the handler's return */
	struct linux_ucontext uc;
	int err;

	if (!user_range_is_valid((void *)at, sizeof(struct rt_frame)) ||
	    user_read(&uc, (void *)(at + offsetof(struct rt_frame, uc)), sizeof(uc)))
		return -EFAULT;
	/* IRETQ would fault on others, and entries from the application are told by its stack pointer. */
	if (!user_range_is_valid((void *)uc.context.ip, 1) || !user_range_is_valid((void *)uc.context.sp, 0))
		return -EFAULT;
	err = fpu_pop(uc.context.fpstate);
	if (err)
		return err;
	context_restore(frame, &uc.context);
	*mask = uc.mask;
	*stack = uc.stack;
	return 0;
}

void signal_frame_restart(struct trapframe *frame, unsigned nr)
{
	frame->ip -= SYSCALL_LEN;
	frame->ax = nr;
	frame->vector = TRAP_CHANGED;
}
