/*
 * The vDSO as it is built, run on the host: found in its file as C libraries find it, put behind a page of data that the
 * test makes up, unwound through, and raced against the kernel's clock. Where it makes a system call, Linux answers.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

#include <cmocka.h>

/* Of the clock that the vDSO is raced against each thread is a CPU of its own. */
#include "kernel/core/cpu.h"
static __thread unsigned thread_cpu;
#define cpu_self() thread_cpu
#include "kernel/core/clock.c"

#include "kernel/linux/clocks.h"
#include "kernel/linux/vdso/vdso_data.h"
#include "test/unit/shim/shim.h"

__asm__(".section .rodata\n\t.balign 4096\n"
	"file_start:\n\t.incbin \"kernel/linux/vdso.so\"\n"
	"file_end:\n\t.previous");
extern const char file_start[] __asm__("file_start"), file_end[] __asm__("file_end");

/* What no clock of the host shows. */
#define FAR (1ul << 62)
/* The page's clock at a glance: one tick is a nanosecond. */
#define MULT_ONE (1ul << 32)

static struct vdso_data *data;
static const char *base;
static size_t file_len;

static int (*vdso_gettime)(int clockid, struct timespec *ts);
static int (*vdso_getres)(int clockid, struct timespec *ts);
static int (*vdso_gettimeofday)(struct timeval *tv, struct timezone *tz);
static long (*vdso_time)(long *seconds);
static int (*vdso_getcpu)(unsigned *cpu, unsigned *node, void *cache);

uint64_t shim_ticks(void)
{
	__builtin_ia32_lfence();
	return __builtin_ia32_rdtsc();
}

/* ---- Looking for it ---- */

static const void *dynamic(int64_t tag, uint64_t *value)
{
	const Elf64_Ehdr *header = (const void *)base;
	const Elf64_Phdr *segment = (const void *)(base + header->e_phoff);
	const Elf64_Dyn *entry = NULL;

	for (unsigned i = 0; i < header->e_phnum; i++)
		if (segment[i].p_type == PT_DYNAMIC)
			entry = (const void *)(base + segment[i].p_vaddr);
	assert_non_null(entry);
	for (; entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == tag) {
			if (value)
				*value = entry->d_un.d_val;
			return base + entry->d_un.d_ptr;
		}
	return NULL;
}

/* The version of symbol NR is VERSION, by name and by hash: as _dl_lookup_symbol_x and musl's checkver do it. */
static bool has_version(unsigned nr, const char *version, uint32_t hash)
{
	const uint16_t *versions = dynamic(DT_VERSYM, NULL);
	const char *strings = dynamic(DT_STRTAB, NULL);
	const Elf64_Verdef *def = dynamic(DT_VERDEF, NULL);

	for (;;) {
		const Elf64_Verdaux *aux = (const void *)((const char *)def + def->vd_aux);

		if (!(def->vd_flags & VER_FLG_BASE) && def->vd_ndx == (versions[nr] & 0x7fff))
			return def->vd_hash == hash && !strcmp(strings + aux->vda_name, version);
		if (!def->vd_next)
			return false;
		def = (const void *)((const char *)def + def->vd_next);
	}
}

static const Elf64_Sym *symbol_if(unsigned nr, const char *name)
{
	const Elf64_Sym *symbol = (const Elf64_Sym *)dynamic(DT_SYMTAB, NULL) + nr;
	const char *strings = dynamic(DT_STRTAB, NULL);

	if (strcmp(strings + symbol->st_name, name) || symbol->st_shndx == SHN_UNDEF)
		return NULL;
	assert_int_equal(ELF64_ST_TYPE(symbol->st_info), STT_FUNC);
	assert_true(has_version(nr, "LINUX_2.6", 0x3ae75f6));
	assert_false(has_version(nr, "LINUX_2.5", 0x3ae75f5));
	return symbol;
}

static uint32_t sysv_hash(const char *name)
{
	uint32_t h = 0;

	for (; *name; name++) {
		h = (h << 4) + (uint8_t)*name;
		h ^= h >> 24 & 0xf0;
	}
	return h & 0x0fffffff;
}

static const Elf64_Sym *lookup_sysv(const char *name)
{
	const uint32_t *table = dynamic(DT_HASH, NULL), *chain = table + 2 + table[0];

	for (uint32_t nr = table[2 + sysv_hash(name) % table[0]]; nr; nr = chain[nr]) {
		const Elf64_Sym *symbol = symbol_if(nr, name);

		if (symbol)
			return symbol;
	}
	return NULL;
}

static const Elf64_Sym *lookup_gnu(const char *name)
{
	const uint32_t *table = dynamic(DT_GNU_HASH, NULL);
	uint32_t n = table[0], first = table[1], words = table[2], shift = table[3], hash = 5381;
	const uint64_t *bloom = (const void *)(table + 4);
	const uint32_t *buckets = (const void *)(bloom + words), *chain = buckets + n;
	uint64_t word;

	for (const char *c = name; *c; c++)
		hash = hash * 33 + (uint8_t)*c;
	word = bloom[hash / 64 % words];
	if (!(word >> hash % 64 & word >> (hash >> shift) % 64 & 1) || !buckets[hash % n])
		return NULL;
	for (uint32_t nr = buckets[hash % n];; nr++) {
		const Elf64_Sym *symbol = (chain[nr - first] | 1) == (hash | 1) ? symbol_if(nr, name) : NULL;

		if (symbol)
			return symbol;
		if (chain[nr - first] & 1)
			return NULL;
	}
}

static const void *lookup(const char *name)
{
	const Elf64_Sym *symbol = lookup_gnu(name);

	assert_non_null(symbol);
	assert_ptr_equal(symbol, lookup_sysv(name));
	return base + symbol->st_value;
}

static int setup_group(void **state)
{
	char *pages;

	(void)state;
	file_len = (size_t)(file_end - file_start);
	pages = mmap(NULL, VDSO_PAGE_SIZE + file_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return -1;
	memcpy(pages + VDSO_PAGE_SIZE, file_start, file_len);
	data = (void *)pages;
	base = pages + VDSO_PAGE_SIZE;
	if (mprotect(pages + VDSO_PAGE_SIZE, file_len, PROT_READ | PROT_EXEC))
		return -1;
	vdso_gettime = lookup("__vdso_clock_gettime");
	vdso_getres = lookup("__vdso_clock_getres");
	vdso_gettimeofday = lookup("__vdso_gettimeofday");
	vdso_time = lookup("__vdso_time");
	vdso_getcpu = lookup("__vdso_getcpu");
	return 0;
}

/* A clock that shows FAR and some, and counts ticks; wall time 1,000 s later. */
static int setup(void **state)
{
	(void)state;
	memset(data, 0, sizeof(*data));
	data->clock = (struct clock_publish){
		.has_wall = 1,
		.limit = INT64_MAX,
		.base = shim_ticks(),
		.mult = MULT_ONE,
		.ns = FAR,
		.wall = 1000 * NSEC_PER_SEC,
	};
	return 0;
}

/* ---- Tests ---- */

static void test_file(void **state)
{
	const Elf64_Ehdr *header = (const void *)base;
	const Elf64_Phdr *segment = (const void *)(base + header->e_phoff);
	static const int64_t unwanted[] = { DT_REL, DT_RELA, DT_JMPREL, DT_TEXTREL, DT_NEEDED, DT_INIT, DT_FINI, 36 };
	unsigned loads = 0, notes = 0, unwinds = 0;
	uint64_t name;

	(void)state;
	assert_memory_equal(header->e_ident, "\177ELF\2\1\1", 7);
	assert_int_equal(header->e_type, ET_DYN);
	assert_int_equal(header->e_machine, EM_X86_64);
	for (unsigned i = 0; i < header->e_phnum; i++, segment++) {
		notes += segment->p_type == PT_NOTE;
		unwinds += segment->p_type == PT_GNU_EH_FRAME;
		if (segment->p_type != PT_LOAD)
			continue;
		loads++;
		assert_int_equal(segment->p_flags, PF_R | PF_X);
		assert_int_equal(segment->p_vaddr, 0);
		assert_int_equal(segment->p_offset, 0);
		assert_int_equal(segment->p_filesz, segment->p_memsz);
		assert_true(segment->p_memsz <= file_len);
	}
	assert_int_equal(loads, 1);
	assert_int_equal(notes, 1);
	assert_int_equal(unwinds, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(unwanted); i++)
		assert_null(dynamic(unwanted[i], NULL));
	assert_non_null(dynamic(DT_SONAME, &name));
	assert_string_equal((const char *)dynamic(DT_STRTAB, NULL) + name, "linux-vdso.so.1");
	/* One page, as long as it can be. */
	assert_true(file_len <= VDSO_PAGE_SIZE);
}

static void test_names(void **state)
{
	static const char *const names[] = { "clock_gettime", "clock_getres", "gettimeofday", "time", "getcpu" };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		char full[40];

		snprintf(full, sizeof(full), "__vdso_%s", names[i]);
		assert_ptr_equal(lookup(full), lookup(names[i]));
		assert_int_equal(ELF64_ST_BIND(lookup_gnu(full)->st_info), STB_GLOBAL);
		assert_int_equal(ELF64_ST_BIND(lookup_gnu(names[i])->st_info), STB_WEAK);
	}
	assert_null(lookup_gnu("__vdso_clock_gettime64"));
	assert_null(lookup_sysv("__vdso_clock_gettime64"));
	assert_null(lookup_gnu("vdso_data"));
	assert_null(lookup_sysv("vdso_data"));
}

static uint64_t ns_of(const struct timespec *ts)
{
	assert_in_range(ts->tv_nsec, 0, NSEC_PER_SEC - 1);
	return (uint64_t)ts->tv_sec * NSEC_PER_SEC + (uint64_t)ts->tv_nsec;
}

static uint64_t gettime(int clockid)
{
	struct timespec ts = { -1, -1 };

	assert_int_equal(vdso_gettime(clockid, &ts), 0);
	return ns_of(&ts);
}

/* What the page says of now. */
static uint64_t page_now(void)
{
	const struct clock_publish *clock = &data->clock;

	return clock->ns + (uint64_t)((unsigned __int128)(shim_ticks() - clock->base) * clock->mult >> 32);
}

static void test_arithmetic(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		static const int clocks[] = { CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_REALTIME,
					      CLOCK_TAI };
		int clockid = clocks[i % 5];
		uint64_t before, now, offset = i % 5 < 3 ? 0 : data->clock.wall;

		data->clock.mult = ((uint64_t)mrand48() & 0xffffffff) << 2;
		data->clock.base = shim_ticks() - (uint64_t)lrand48() * (i & 1 ? 1 : 1u << 20);
		data->clock.ns = ((uint64_t)lrand48() << 31) + (FAR >> 1);
		before = page_now();
		now = gettime(clockid) - offset;
		assert_in_range(now, before, page_now());
	}
}

static void test_coarse(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t fine = gettime(CLOCK_MONOTONIC), coarse = gettime(CLOCK_MONOTONIC_COARSE);

		assert_int_equal(coarse % CLOCK_COARSE_NS, 0);
		assert_true(coarse + CLOCK_COARSE_NS > fine && coarse <= gettime(CLOCK_MONOTONIC));
		fine = gettime(CLOCK_REALTIME);
		coarse = gettime(CLOCK_REALTIME_COARSE);
		assert_int_equal(coarse % CLOCK_COARSE_NS, 0);
		assert_true(coarse + CLOCK_COARSE_NS > fine && coarse <= gettime(CLOCK_REALTIME));
	}
}

/* The clocks that the page tells. */
static const int told[] = {
	CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE,
	CLOCK_BOOTTIME, CLOCK_TAI
};

static void test_resolution(void **state)
{
	struct timespec ts;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(told); i++) {
		bool coarse = told[i] == CLOCK_REALTIME_COARSE || told[i] == CLOCK_MONOTONIC_COARSE;

		assert_int_equal(vdso_getres(told[i], NULL), 0);
		assert_int_equal(vdso_getres(told[i], &ts), 0);
		assert_int_equal(ts.tv_sec, 0);
		assert_int_equal(ts.tv_nsec, coarse ? CLOCK_COARSE_NS : 1);
	}
	assert_int_equal(vdso_getres(CLOCK_THREAD_CPUTIME_ID, &ts), 0);
	assert_int_equal(vdso_getres(12, &ts), -EINVAL);
	assert_int_equal(vdso_getres(1000, NULL), -EINVAL);
}

/* Linux's own, straight from it. */
static uint64_t host_time(int clockid)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, clockid, &ts);
	return ns_of(&ts);
}

static bool is_by_syscall(int clockid)
{
	uint64_t before = host_time(clockid), now = gettime(clockid);

	return now >= before && now <= host_time(clockid);
}

static void all_are_by_syscall(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(told); i++)
		assert_true(is_by_syscall(told[i]));
	assert_in_range(vdso_time(NULL), 1600000000, 10000000000);
}

static void test_fallback(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(told); i++)
		assert_false(is_by_syscall(told[i]));
	/* Nothing is known yet, or the line is just changing. */
	data->clock.limit = 0;
	all_are_by_syscall();
	memset(data, 0, sizeof(*data));
	all_are_by_syscall();
	/* A counter from before base, of a CPU that is late. */
	setup(NULL);
	data->clock.base = shim_ticks() + 1000000000000;
	all_are_by_syscall();
	/* Only wall time is not known. */
	setup(NULL);
	data->clock.has_wall = 0;
	assert_true(is_by_syscall(CLOCK_REALTIME));
	assert_true(is_by_syscall(CLOCK_TAI));
	assert_true(is_by_syscall(CLOCK_REALTIME_COARSE));
	assert_false(is_by_syscall(CLOCK_MONOTONIC));
}

static void test_other_clocks(void **state)
{
	static const int none[] = { 10, 12, 31, 32, 33, 1 << 20, INT32_MAX, INT32_MIN };
	struct timespec ts;
	clockid_t own;

	(void)state;
	assert_true(is_by_syscall(CLOCK_PROCESS_CPUTIME_ID));
	assert_true(is_by_syscall(CLOCK_THREAD_CPUTIME_ID));
	assert_int_equal(clock_getcpuclockid(getpid(), &own), 0);
	assert_true(own < 0 && is_by_syscall(own));
	for (unsigned i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(vdso_gettime(none[i], &ts), -EINVAL);
}

static void test_gettimeofday(void **state)
{
	struct timezone tz = { 5, 5 };
	struct timeval tv;
	uint64_t before;
	long seconds = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		before = gettime(CLOCK_REALTIME) / 1000;
		assert_int_equal(vdso_gettimeofday(&tv, i & 1 ? NULL : &tz), 0);
		assert_in_range(tv.tv_usec, 0, 999999);
		assert_in_range((uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec, before,
				gettime(CLOCK_REALTIME) / 1000);
	}
	assert_true(tz.tz_minuteswest == 0 && tz.tz_dsttime == 0);
	tz.tz_minuteswest = 7;
	assert_int_equal(vdso_gettimeofday(NULL, &tz), 0);
	assert_int_equal(tz.tz_minuteswest, 0);
	assert_int_equal(vdso_gettimeofday(NULL, NULL), 0);
	assert_in_range(vdso_time(&seconds), tv.tv_sec, tv.tv_sec + 1);
	assert_in_range(seconds, tv.tv_sec, tv.tv_sec + 1);
	data->clock.has_wall = 0;
	assert_int_equal(vdso_gettimeofday(&tv, &tz), 0);
	assert_in_range(tv.tv_sec, host_time(CLOCK_REALTIME) / NSEC_PER_SEC - 1,
			host_time(CLOCK_REALTIME) / NSEC_PER_SEC);
}

/* Linux keeps the same numbers in the same register. */
static void test_getcpu(void **state)
{
	cpu_set_t all;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	for (data->has_cpu_nr = 0; data->has_cpu_nr < 2; data->has_cpu_nr++) {
		for (int cpu = 0; cpu < 64; cpu++) {
			unsigned seen = 77, node = 77;
			cpu_set_t set;

			CPU_ZERO(&set);
			CPU_SET(cpu, &set);
			if (sched_setaffinity(0, sizeof(set), &set))
				continue;
			assert_int_equal(vdso_getcpu(&seen, &node, NULL), 0);
			assert_int_equal(seen, cpu);
			assert_in_range(node, 0, 63);
			assert_int_equal(vdso_getcpu(NULL, NULL, NULL), 0);
		}
	}
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

/* ---- Unwinding ---- */

static jmp_buf fault_return;
static void *unwind_caller;
static unsigned unwind_depth;
static bool unwind_found;

static _Unwind_Reason_Code unwind_step(struct _Unwind_Context *context, void *arg)
{
	const char *start = _Unwind_FindEnclosingFunction((void *)_Unwind_GetIP(context));

	(void)arg;
	unwind_depth++;
	unwind_found |= start == unwind_caller;
	return unwind_depth < 50 ? _URC_NO_REASON : _URC_END_OF_STACK;
}

static void on_fault(int sig)
{
	(void)sig;
	_Unwind_Backtrace(unwind_step, NULL);
	siglongjmp(fault_return, 1);
}

static __attribute__((noinline)) void call_that_faults(int (*fn)(int clockid, struct timespec *ts))
{
	struct timespec ts;

	fn(CLOCK_MONOTONIC, &ts);
	fail_msg("no fault");
}

/* As the dynamic linker loads it, with nothing in front of it: its first look at the data faults. */
static void test_unwind(void **state)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER }, old;
	int fd = memfd_create("vdso", 0);
	char path[40];
	void *handle, *fn;

	(void)state;
	assert_int_equal(write(fd, file_start, file_len), file_len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		fail_msg("%s", dlerror());
	fn = dlvsym(handle, "__vdso_clock_gettime", "LINUX_2.6");
	assert_non_null(fn);
	assert_null(dlvsym(handle, "__vdso_clock_gettime", "LINUX_2.5"));
	/* Whatever the linker has put in front of it. */
	munmap((char *)((uintptr_t)fn & -4096ul) - 4096, 4096);
	unwind_caller = (void *)call_that_faults;
	sigaction(SIGSEGV, &action, &old);
	if (!sigsetjmp(fault_return, 1))
		call_that_faults((int (*)(int, struct timespec *))fn);
	sigaction(SIGSEGV, &old, NULL);
	assert_true(unwind_found);
	assert_in_range(unwind_depth, 4, 49);
	dlclose(handle);
	close(fd);
}

/* ---- Against the clock ---- */

static struct clock_source tsc = {
	.name = "tsc",
	.rating = 300,
	.flags = CLOCK_TICKS,
	.bits = 64,
	.read = shim_ticks,
};

struct clock_source *table[1] __asm__("clock_sources_start") = { &tsc };
__asm__(".globl clock_sources_end\n\t.set clock_sources_end, clock_sources_start + 8");

void arch_ticks_hz_set(uint64_t hz)
{
	(void)hz;
}

void timer_init(struct timer *timer, void (*fn)(struct timer *timer))
{
	timer->fn = fn;
}

void timer_set(struct timer *timer, uint64_t deadline)
{
	timer->deadline = deadline;
}

bool timer_cancel_sync(struct timer *timer)
{
	(void)timer;
	return false;
}

static bool race_over;	     /* atomic */
static uint64_t race_latest; /* atomic: the latest time that any thread has seen */
static unsigned race_steps_back, race_by_page, race_by_syscall;

static void see(uint64_t before, uint64_t now)
{
	if (now < before)
		__atomic_fetch_add(&race_steps_back, 1, __ATOMIC_RELAXED);
	while (before < now &&
	       !__atomic_compare_exchange_n(&race_latest, &before, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void *reader(void *arg)
{
	unsigned by_page = 0, by_syscall = 0;

	thread_cpu = (unsigned)(uintptr_t)arg;
	while (!__atomic_load_n(&race_over, __ATOMIC_RELAXED)) {
		uint64_t before = __atomic_load_n(&race_latest, __ATOMIC_SEQ_CST);
		struct timespec ts;
		uint64_t now;

		vdso_gettime(CLOCK_MONOTONIC, &ts);
		now = ns_of(&ts);
		if (now >= FAR) {
			by_page++;
			see(before, now);
		} else {
			by_syscall++;
		}
		before = __atomic_load_n(&race_latest, __ATOMIC_SEQ_CST);
		see(before, clock_monotonic());
	}
	__atomic_fetch_add(&race_by_page, by_page, __ATOMIC_RELAXED);
	__atomic_fetch_add(&race_by_syscall, by_syscall, __ATOMIC_RELAXED);
	return NULL;
}

/* Goes on at a slope that differs by up to 1,000 ppm, some time after it was decided to. */
static void slope_change(uint64_t hz)
{
	unsigned long flags;
	uint64_t start;

	tsc.hz = hz + (uint64_t)lrand48() % (hz / 500) - hz / 1000;
	clock_lock_wait(&flags);
	start = arch_ticks_ordered();
	if (current)
		for (unsigned i = 0; i < 1000; i++)
			arch_ticks_ordered();
	source_switch(&tsc, start);
	clock_unlock(flags);
}

static void test_race(void **state)
{
	pthread_t threads[3];
	uint64_t hz = 2000000000, end;

	(void)state;
	memset(data, 0, sizeof(*data));
	clock_line_publish(&data->clock);
	assert_true(is_by_syscall(CLOCK_MONOTONIC));
	line.ns = FAR;
	slope_change(hz);
	assert_true(data->clock.limit && gettime(CLOCK_MONOTONIC) >= FAR);
	for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, (void *)(uintptr_t)(i + 1)), 0);
	end = host_time(CLOCK_MONOTONIC) + NSEC_PER_SEC;
	while (host_time(CLOCK_MONOTONIC) < end) {
		slope_change(hz);
		for (unsigned i = 0; i < 500; i++)
			arch_ticks_ordered();
	}
	__atomic_store_n(&race_over, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	print_message("%u readings by the page, %u by system call, %u changes\n", race_by_page, race_by_syscall,
		      data->clock.seq / 2);
	assert_int_equal(race_steps_back, 0);
	assert_true(race_by_page > 1000 && data->clock.seq > 100);
	tsc.flags |= CLOCK_UNSYNCED;
	slope_change(hz);
	assert_true(is_by_syscall(CLOCK_MONOTONIC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_file, setup),	  cmocka_unit_test_setup(test_names, setup),
		cmocka_unit_test_setup(test_arithmetic, setup),	  cmocka_unit_test_setup(test_coarse, setup),
		cmocka_unit_test_setup(test_resolution, setup),	  cmocka_unit_test_setup(test_fallback, setup),
		cmocka_unit_test_setup(test_other_clocks, setup), cmocka_unit_test_setup(test_gettimeofday, setup),
		cmocka_unit_test_setup(test_getcpu, setup),	  cmocka_unit_test_setup(test_unwind, setup),
		cmocka_unit_test_setup(test_race, setup),
	};

	return cmocka_run_group_tests(tests, setup_group, NULL);
}
