/* Signal frames: pushed and taken back, forged ones, and both ways with the host's Linux as the other side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/arch/arch.h"
#include "kernel/linux/signal_frame.h"
#include "kernel/mem/user.h"
#include "lib/errno.h"
#include "test/unit/signal_frame_host.h"

#define STACK_LEN 65536
#define RT_FRAME_LEN 440

uintptr_t user_end = 1ul << 47;
static size_t fpu_size;
static uintptr_t bad_from, bad_to; /* addresses that are not mapped */
static int fpu_error;
static unsigned nr_restores;
static uint8_t restored[512];
static _Alignas(64) uint8_t stack[STACK_LEN];

static bool is_bad(const void *at, size_t len)
{
	return (uintptr_t)at + len > bad_from && (uintptr_t)at < bad_to;
}

int user_read(void *dst, const void *user_src, size_t len)
{
	if (is_bad(user_src, len))
		return -EFAULT;
	memcpy(dst, user_src, len);
	return 0;
}

int user_write(void *user_dst, const void *src, size_t len)
{
	if (is_bad(user_dst, len))
		return -EFAULT;
	memcpy(user_dst, src, len);
	return 0;
}

size_t arch_fpu_size(void)
{
	return fpu_size;
}

bool arch_fpu_has_xsave(void)
{
	return fpu_size > 512;
}

uint64_t arch_fpu_features(void)
{
	return host_xsave_features();
}

int arch_fpu_save_user(void *area)
{
	assert_int_equal((uintptr_t)area % 64, 0);
	if (is_bad(area, fpu_size))
		return -EFAULT;
	if (fpu_size == host_xsave_size())
		host_xsave(area);
	else
		memset(area, 0x5a, 464);
	return 0;
}

int arch_fpu_restore_user(const void *area)
{
	assert_int_equal((uintptr_t)area % 64, 0);
	nr_restores++;
	memcpy(restored, area, sizeof(restored));
	return fpu_error;
}

static int reset(void **state)
{
	(void)state;
	fpu_size = host_xsave_size();
	bad_from = bad_to = 0;
	fpu_error = 0;
	nr_restores = 0;
	memset(stack, 0xee, sizeof(stack));
	return 0;
}

static struct trapframe frame_make(void)
{
	struct trapframe f;
	uint64_t *words = (uint64_t *)&f;

	for (unsigned i = 0; i < sizeof(f) / 8; i++)
		words[i] = 0x1100 + i;
	f.ip = (uintptr_t)host_landing;
	f.sp = (uintptr_t)stack + STACK_LEN - 1000;
	f.flags = 0x246;
	f.vector = 0x100;
	f.cs = 8;
	f.ss = 16;
	return f;
}

static const struct signal_info info = { .signo = 11, .code = 1, .address = 0x1234 };
static const struct signal_trap trap = { 14, 6, 0x1234 };

static struct signal_setup setup_make(void)
{
	return (struct signal_setup){
		.handler = 0x400000,
		.restorer = 0x500000,
		.mask = 0x8000,
		.stack = { .sp = 0x7000, .flags = 2, .size = 0 },
		.info = &info,
		.trap = &trap,
	};
}

static void test_layout(void **state)
{
	struct trapframe f = frame_make(), old = f;
	struct signal_setup setup = setup_make();
	const uint8_t *at;

	(void)state;
	assert_int_equal(signal_frame_push(&f, &setup), 0);
	at = (const uint8_t *)f.sp;
	assert_int_equal(f.sp % 16, 8);
	assert_true(f.sp + RT_FRAME_LEN + fpu_size + 4 <= old.sp - 128);
	assert_int_equal(f.ip, setup.handler);
	assert_int_equal(f.di, 11);
	assert_int_equal(f.dx, f.sp + 8);
	assert_int_equal(f.si, f.sp + 8 + 304);
	assert_int_equal(f.ax, 0);
	assert_int_equal(f.cs, 8);
	assert_true(f.vector != 0x100);
	assert_int_equal(*(const uint64_t *)at, setup.restorer);
	assert_int_equal(*(const uint64_t *)(at + host_offset_mask()), 0x8000);
	assert_int_equal(*(const uint64_t *)(at + host_offset_stack()), 0x7000);
	assert_int_equal(*(const uint64_t *)(at + host_offset_gregs()), old.r8);
	assert_int_equal(*(const uint64_t *)(at + host_offset_gregs() + 16 * 8), old.ip);
	assert_int_equal(*(const uint64_t *)(at + host_offset_fpstate()) % 64, 0);
	/* The red zone is as it was. */
	for (unsigned i = 0; i < 128; i++)
		assert_int_equal(stack[STACK_LEN - 1000 - 128 + i], 0xee);
}

static void test_flags_at_entry(void **state)
{
	struct trapframe f = frame_make();
	struct signal_setup setup = setup_make();

	(void)state;
	f.flags = 0x246 | 0x400 | 0x100 | 0x10000 | 0x40000;
	assert_int_equal(signal_frame_push(&f, &setup), 0);
	assert_int_equal(f.flags, 0x246 | 0x40000);
}

static void test_round_trip(void **state)
{
	struct trapframe f = frame_make(), old = f;
	struct signal_setup setup = setup_make();
	struct linux_stack altstack;
	uint64_t mask;

	(void)state;
	assert_int_equal(signal_frame_push(&f, &setup), 0);
	f.sp += 8; /* ret */
	f.flags |= 0x1 | 0x800;
	f.r12 = f.bx = f.bp = 77;
	assert_int_equal(signal_frame_pop(&f, &mask, &altstack), 0);
	assert_int_equal(mask, 0x8000);
	assert_int_equal(altstack.sp, 0x7000);
	assert_int_equal(altstack.flags, 2);
	old.vector = f.vector;
	assert_true(f.vector != 0x100);
	assert_memory_equal(&f, &old, sizeof(f));
	assert_int_equal(nr_restores, 1);
}

static void test_every_size(void **state)
{
	static const size_t sizes[] = { 512, 576, 832, 2696, 11008 };
	struct signal_setup setup = setup_make();

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (unsigned off = 0; off < 64; off += 8) {
			struct trapframe f = frame_make(), old;
			struct linux_stack altstack;
			uint64_t mask;

			f.sp -= off;
			old = f;
			fpu_size = sizes[i];
			assert_int_equal(signal_frame_push(&f, &setup), 0);
			assert_int_equal(f.sp % 16, 8);
			assert_true(old.sp - f.sp <= signal_frame_size());
			f.sp += 8;
			assert_int_equal(signal_frame_pop(&f, &mask, &altstack), 0);
			assert_int_equal(f.sp, old.sp);
			assert_int_equal(restored[100], 0x5a);
		}
	}
}

static void test_alternate_stack(void **state)
{
	struct trapframe f = frame_make(), old;
	struct signal_setup setup = setup_make();

	(void)state;
	setup.stack_limit = (uintptr_t)stack;
	setup.stack_top = (uintptr_t)stack + 16384 + 8;
	old = f;
	assert_int_equal(signal_frame_push(&f, &setup), 0);
	assert_true(f.sp > (uintptr_t)stack && f.sp + RT_FRAME_LEN + fpu_size <= setup.stack_top);
	f = old;
	setup.stack_limit = setup.stack_top - 600;
	assert_int_equal(signal_frame_push(&f, &setup), -EFAULT);
	assert_memory_equal(&f, &old, sizeof(f));
}

static void test_bad_stack(void **state)
{
	static const uintptr_t pointers[] = { 0, 64, 128, 300, 1ul << 47, 1ul << 63, UINTPTR_MAX, UINTPTR_MAX - 500 };
	struct signal_setup setup = setup_make();
	struct trapframe f, old;

	(void)state;
	for (unsigned i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		f = frame_make();
		f.sp = pointers[i] == 1ul << 47 ? pointers[i] + 4096 : pointers[i];
		old = f;
		bad_from = 0;
		bad_to = 4096;
		assert_int_equal(signal_frame_push(&f, &setup), -EFAULT);
		assert_memory_equal(&f, &old, sizeof(f));
	}
	/* Each part of the frame in turn is not writable. */
	for (size_t below = 128; below < fpu_size + 600; below += 64) {
		f = old = frame_make();
		bad_from = f.sp - below;
		bad_to = bad_from + 8;
		if (signal_frame_push(&f, &setup))
			assert_memory_equal(&f, &old, sizeof(f));
	}
	bad_from = bad_to = 0;
	f = frame_make();
	setup.handler = 1ul << 63;
	assert_int_equal(signal_frame_push(&f, &setup), -EFAULT);
}

static void test_forged(void **state)
{
	struct signal_setup setup = setup_make();
	struct linux_ucontext *uc;
	struct linux_stack altstack;
	struct trapframe f, old;
	uint64_t mask;

	(void)state;
	f = frame_make();
	assert_int_equal(signal_frame_push(&f, &setup), 0);
	f.sp += 8;
	old = f;
	uc = (struct linux_ucontext *)f.sp;
	uc->context.ip = 1ul << 63;
	assert_int_equal(signal_frame_pop(&f, &mask, &altstack), -EFAULT);
	uc->context.ip = 0x8000000000000;
	assert_int_equal(signal_frame_pop(&f, &mask, &altstack), -EFAULT);
	uc->context.ip = 0x400000;
	uc->context.sp = (uint64_t)-8;
	assert_int_equal(signal_frame_pop(&f, &mask, &altstack), -EFAULT);
	uc->context.sp = 0x7000000;
	uc->context.fpstate = 0x123456789abcdef0;
	assert_int_equal(signal_frame_pop(&f, &mask, &altstack), -EFAULT);
	uc->context.fpstate = (uint64_t)-64;
	assert_int_equal(signal_frame_pop(&f, &mask, &altstack), -EFAULT);
	assert_int_equal(nr_restores, 0);
	assert_memory_equal(&f, &old, sizeof(f));
	fpu_error = -EINVAL;
	uc->context.fpstate = 0;
	assert_int_equal(signal_frame_pop(&f, &mask, &altstack), -EINVAL);
	assert_memory_equal(&f, &old, sizeof(f));
	fpu_error = 0;
	uc->context.flags = UINT64_MAX;
	uc->context.cs = 0x3b;
	assert_int_equal(signal_frame_pop(&f, &mask, &altstack), 0);
	assert_int_equal(f.flags & 0x3000, 0); /* no IOPL */
	assert_int_equal(f.flags & 0x200, 0x200);
	assert_int_equal(f.flags & ~0x50fd7ul, 0);
	assert_int_equal(f.cs, 8);
	/* No state given: as a new program's. */
	assert_int_equal(*(uint16_t *)restored, 0x37f);
	assert_int_equal(*(uint32_t *)(restored + 24), 0x1f80);
	f.sp = UINTPTR_MAX;
	assert_int_equal(signal_frame_pop(&f, &mask, &altstack), -EFAULT);
	f.sp = 0;
	assert_int_equal(signal_frame_pop(&f, &mask, &altstack), -EFAULT);
}

/* A program that builds a frame itself may know nothing of XSAVE; then only the first 512 bytes count. */
static void test_without_magic(void **state)
{
	struct signal_setup setup = setup_make();
	struct trapframe f = frame_make();
	struct linux_stack altstack;
	struct linux_ucontext *uc;
	uint64_t mask;

	(void)state;
	assert_int_equal(signal_frame_push(&f, &setup), 0);
	f.sp += 8;
	uc = (struct linux_ucontext *)f.sp;
	memset((void *)(uc->context.fpstate + FP_SW_BYTES_OFFSET), 0xff, fpu_size - FP_SW_BYTES_OFFSET + 4);
	memset((void *)uc->context.fpstate, 0x77, 400);
	assert_int_equal(signal_frame_pop(&f, &mask, &altstack), 0);
	assert_int_equal(restored[399], 0x77);
}

/* Linux takes back a frame of ours. */
static void test_host_takes_ours(void **state)
{
	struct trapframe f = frame_make(), old = f;
	struct signal_setup setup = setup_make();
	uint64_t regs[HOST_REGS];
	static const size_t order[16] = {
		offsetof(struct trapframe, r8),	 offsetof(struct trapframe, r9),  offsetof(struct trapframe, r10),
		offsetof(struct trapframe, r11), offsetof(struct trapframe, r12), offsetof(struct trapframe, r13),
		offsetof(struct trapframe, r14), offsetof(struct trapframe, r15), offsetof(struct trapframe, di),
		offsetof(struct trapframe, si),	 offsetof(struct trapframe, bp),  offsetof(struct trapframe, bx),
		offsetof(struct trapframe, dx),	 offsetof(struct trapframe, ax),  offsetof(struct trapframe, cx),
		offsetof(struct trapframe, sp),
	};

	(void)state;
	setup.mask = 0;
	setup.stack = (struct linux_stack){ .flags = 2 };
	old.flags = f.flags = 0x246 | 0x800 | 0x1;
	assert_int_equal(signal_frame_push(&f, &setup), 0);
	host_sigreturn(f.sp + 8, regs);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(regs[i], *(uint64_t *)((char *)&old + order[i]));
	assert_int_equal(regs[17] & 0x801, 0x801);
}

static void take_host(uintptr_t sp, const uint64_t regs[HOST_REGS])
{
	struct trapframe f = { .sp = sp, .flags = 0x202, .vector = 0x100 };
	struct linux_stack altstack;
	uint64_t mask;

	assert_int_equal(signal_frame_pop(&f, &mask, &altstack), 0);
	assert_int_equal(f.r8, regs[0]);
	assert_int_equal(f.r15, regs[7]);
	assert_int_equal(f.bx, regs[11]);
	assert_int_equal(f.cx, regs[14]);
	assert_int_equal(f.sp, regs[15]);
	assert_int_equal(f.ip, regs[16]);
	assert_int_equal(nr_restores, 1);
}

/* And we one of Linux's. */
static void test_ours_takes_host(void **state)
{
	(void)state;
	host_signal_frame(take_host);
}

static void test_restart(void **state)
{
	struct trapframe f = frame_make();

	(void)state;
	signal_frame_restart(&f, 35);
	assert_int_equal(f.ip, (uintptr_t)host_landing - 2);
	assert_int_equal(f.ax, 35);
	assert_true(f.vector != 0x100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_layout, reset),
		cmocka_unit_test_setup(test_flags_at_entry, reset),
		cmocka_unit_test_setup(test_round_trip, reset),
		cmocka_unit_test_setup(test_every_size, reset),
		cmocka_unit_test_setup(test_alternate_stack, reset),
		cmocka_unit_test_setup(test_bad_stack, reset),
		cmocka_unit_test_setup(test_forged, reset),
		cmocka_unit_test_setup(test_without_magic, reset),
		cmocka_unit_test_setup(test_host_takes_ours, reset),
		cmocka_unit_test_setup(test_ours_takes_host, reset),
		cmocka_unit_test_setup(test_restart, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
