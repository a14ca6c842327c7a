/*
 * The vDSO, vdso(7): functions that an application finds in its memory, and that answer without a system call what a page of
 * data (vdso_data.h) or the CPU can answer. They do the same as the system calls of their names, which they make themselves for
 * all else: clocks that nobody has asked yet, that do not run on the CPU's counter, or that are just changing. So there is no
 * loop in here, and whoever is stopped anywhere in it keeps nobody waiting.
 *
 * This is not part of the kernel, although it is in its image: it is linked by itself (vdso.ld), to run with the application's
 * rights wherever it is mapped, and holds nothing that needs relocation.
 */
#include "kernel/linux/abi_time.h"
#include "kernel/linux/clocks.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/vdso/vdso_cpu.h"
#include "kernel/linux/vdso/vdso_data.h"
#include "lib/util.h"

#define NSEC_PER_SEC 1000000000ul
#define NSEC_PER_USEC 1000ul

/* Sets of clocks by their numbers: those that the page can tell. The others are the kernel's matter. */
#define CLOCK_BIT(clockid) (1u << (clockid))
#define COARSE (CLOCK_BIT(CLOCK_MONOTONIC_COARSE) | CLOCK_BIT(CLOCK_REALTIME_COARSE))
#define MONOTONIC                                                                                                      \
	(CLOCK_BIT(CLOCK_MONOTONIC) | CLOCK_BIT(CLOCK_MONOTONIC_RAW) | CLOCK_BIT(CLOCK_BOOTTIME) |                     \
	 CLOCK_BIT(CLOCK_MONOTONIC_COARSE))
#define WALL (CLOCK_BIT(CLOCK_REALTIME) | CLOCK_BIT(CLOCK_TAI) | CLOCK_BIT(CLOCK_REALTIME_COARSE))

#define EXPORT __attribute__((visibility("default")))

/* vdso.ld: the page before the code. Not const: of what is, the compiler believes that it never changes, barriers or not. */
extern struct vdso_data vdso_data __attribute__((visibility("hidden")));

int __vdso_clock_gettime(int clockid, struct linux_timespec *ts);
int __vdso_clock_getres(int clockid, struct linux_timespec *res);
int __vdso_gettimeofday(struct linux_timeval *tv, struct linux_timezone *tz);
long __vdso_time(long *seconds);
int __vdso_getcpu(unsigned *cpu, unsigned *node, void *cache);

static inline unsigned clock_bit(int clockid)
{
	return (unsigned)clockid < 32 ? 1u << clockid : 0;
}

/*
 * As clock_monotonic does it: kernel/core/clock_publish.h. False: ask the kernel. The loads in the middle may be made in
 * any way that the compiler likes: what they give counts only if seq has stayed.
 */
static inline bool monotonic(uint64_t *ns)
{
	const struct clock_publish *clock = &vdso_data.clock;
	uint32_t seq = __atomic_load_n(&clock->seq, __ATOMIC_ACQUIRE);
	uint64_t delta = vdso_ticks() - clock->base;

	if (unlikely(delta >= clock->limit))
		return false;
	*ns = clock->ns + (uint64_t)((unsigned __int128)delta * clock->mult >> 32);
	barrier();
	return likely(seq == clock->seq);
}

static inline bool wall(uint64_t *ns)
{
	const struct clock_publish *clock = &vdso_data.clock;
	uint64_t offset;

	if (unlikely(!__atomic_load_n(&clock->has_wall, __ATOMIC_ACQUIRE)))
		return false;
	offset = READ_ONCE(clock->wall);
	if (unlikely(!monotonic(ns)))
		return false;
	*ns += offset;
	return true;
}

static inline int timespec_store(struct linux_timespec *ts, uint64_t ns)
{
	ts->sec = (int64_t)(ns / NSEC_PER_SEC);
	ts->nsec = (int64_t)(ns % NSEC_PER_SEC);
	return 0;
}

EXPORT int __vdso_clock_gettime(int clockid, struct linux_timespec *ts)
{
	unsigned bit;
	uint64_t ns;

	/* Asked for so much more often than all others that it has its own way. */
	if (likely(clockid == CLOCK_MONOTONIC) && monotonic(&ns))
		return timespec_store(ts, ns);
	bit = clock_bit(clockid);
	if (unlikely(!(bit & WALL ? wall(&ns) : bit & MONOTONIC && monotonic(&ns))))
		return (int)vdso_syscall(NR_clock_gettime, clockid, (long)ts, 0);
	if (unlikely(bit & COARSE))
		ns -= ns % CLOCK_COARSE_NS;
	return timespec_store(ts, ns);
}

EXPORT int __vdso_clock_getres(int clockid, struct linux_timespec *res)
{
	unsigned bit = clock_bit(clockid);

	if (unlikely(!(bit & (MONOTONIC | WALL))))
		return (int)vdso_syscall(NR_clock_getres, clockid, (long)res, 0);
	if (res)
		*res = (struct linux_timespec){ 0, bit & COARSE ? CLOCK_COARSE_NS : 1 };
	return 0;
}

EXPORT int __vdso_gettimeofday(struct linux_timeval *tv, struct linux_timezone *tz)
{
	uint64_t ns;

	if (tv) {
		if (unlikely(!wall(&ns)))
			return (int)vdso_syscall(NR_gettimeofday, (long)tv, (long)tz, 0);
		tv->sec = (int64_t)(ns / NSEC_PER_SEC);
		tv->usec = (int64_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
	}
	if (unlikely(tz))
		*tz = (struct linux_timezone){ 0, 0 };
	return 0;
}

EXPORT long __vdso_time(long *seconds)
{
	uint64_t ns;
	long now;

	if (unlikely(!wall(&ns)))
		return vdso_syscall(NR_time, (long)seconds, 0, 0);
	now = (long)(ns / NSEC_PER_SEC);
	if (seconds)
		*seconds = now;
	return now;
}

EXPORT int __vdso_getcpu(unsigned *cpu, unsigned *node, void *cache)
{
	uint32_t nr;

	if (unlikely(!vdso_data.has_cpu_nr))
		return (int)vdso_syscall(NR_getcpu, (long)cpu, (long)node, (long)cache);
	nr = vdso_cpu_nr();
	if (cpu)
		*cpu = nr & 0xfff;
	if (node)
		*node = nr >> 12;
	return 0;
}

/* The same under the names that the C library has for them. */
#define WEAK_ALIAS(name) EXPORT extern __typeof__(__vdso_##name)(name) __attribute__((weak, alias("__vdso_" #name)))
WEAK_ALIAS(clock_gettime);
WEAK_ALIAS(clock_getres);
WEAK_ALIAS(gettimeofday);
WEAK_ALIAS(time);
WEAK_ALIAS(getcpu);

/*
 * Which Linux this is, as in uname(2): C libraries up to glibc 2.36 look for it here before they make the system call. An ELF
 * note (gABI, chapter 5): sizes, type, name, contents.
 */
static const struct {
	uint32_t name_size, desc_size, type;
	char name[8];
	uint32_t version;
} linux_note __attribute__((section(".note.linux"), used, aligned(4))) = {
	sizeof("Linux"), sizeof(uint32_t), 0, "Linux", 6 << 16 | 1 << 8,
};
