/* /proc: files about the whole system: memory, load, time. */
#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/core/sched.h"
#include "kernel/linux/abi_process.h"
#include "kernel/linux/proc.h"
#include "kernel/linux/system.h"
#include "kernel/linux/task.h"
#include "kernel/mem/page.h"
#include "lib/string.h"

#define KIB_PER_PAGE (PAGE_SIZE / 1024)

static const char *command_line = "";

void proc_cmdline_set(const char *cmdline)
{
	command_line = cmdline;
}

int proc_kernel_cmdline(struct pseudo_text *out, uint64_t key)
{
	(void)key;
	pseudo_printf(out, "%s\n", command_line);
	return 0;
}

int proc_version(struct pseudo_text *out, uint64_t key)
{
	struct linux_utsname name;

	(void)key;
	system_name_get(&name);
	pseudo_printf(out, "%s version %s (drupe@drupe) (gcc) %s\n", name.sysname, name.release, name.version);
	return 0;
}

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

static void kib(struct pseudo_text *out, const char *name, uint64_t pages)
{
	pseudo_printf(out, "%s%*lu kB\n", name, (int)(23 - strlen(name)), pages * KIB_PER_PAGE);
}

int proc_meminfo(struct pseudo_text *out, uint64_t key)
{
	static const char *const zero_before[] = { "Buffers:", "Cached:", "SwapCached:" };
	static const char *const zero_after[] = { "Unevictable:", "Mlocked:", "SwapTotal:",
						  "SwapFree:",	  "Dirty:",   "Writeback:" };
	const struct process *process = process_find(0);
	uint64_t used = process ? process->vm->nr_resident : 0;
	struct page_stats stats;

	(void)key;
	page_stats(&stats);
	kib(out, "MemTotal:", stats.total);
	kib(out, "MemFree:", stats.free);
	kib(out, "MemAvailable:", stats.free);
	for (unsigned i = 0; i < ARRAY_SIZE(zero_before); i++)
		kib(out, zero_before[i], 0);
	kib(out, "Active:", used);
	kib(out, "Inactive:", 0);
	kib(out, "Active(anon):", used);
	kib(out, "Inactive(anon):", 0);
	kib(out, "Active(file):", 0);
	kib(out, "Inactive(file):", 0);
	for (unsigned i = 0; i < ARRAY_SIZE(zero_after); i++)
		kib(out, zero_after[i], 0);
	kib(out, "AnonPages:", used);
	kib(out, "Mapped:", used);
	kib(out, "Shmem:", 0);
	kib(out, "KReclaimable:", 0);
	kib(out, "Slab:", 0);
	kib(out, "SReclaimable:", 0);
	kib(out, "SUnreclaim:", 0);
	kib(out, "KernelStack:", thread_count() * 4);
	kib(out, "PageTables:", 0);
	kib(out, "CommitLimit:", stats.total);
	kib(out, "Committed_AS:", process ? process->vm->nr_mapped : 0);
	pseudo_puts(out, "VmallocTotal:   34359738367 kB\nVmallocUsed:           0 kB\nVmallocChunk:          0 kB\n");
	kib(out, "AnonHugePages:", 0);
	pseudo_puts(out, "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n");
	pseudo_puts(out, "HugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:               0 kB\n");
	return 0;
}

int proc_vmstat(struct pseudo_text *out, uint64_t key)
{
	struct page_stats stats;

	(void)key;
	page_stats(&stats);
	pseudo_printf(out, "nr_free_pages %lu\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\noom_kill 0\n", stats.free);
	return 0;
}

int proc_zoneinfo(struct pseudo_text *out, uint64_t key)
{
	struct page_stats stats;

	(void)key;
	page_stats(&stats);
	pseudo_printf(out, "Node 0, zone   Normal\n  pages free     %lu\n        min      0\n        low      0\n",
		      stats.free);
	pseudo_printf(out, "        high     0\n        spanned  %lu\n        present  %lu\n        managed  %lu\n",
		      stats.total, stats.total, stats.total);
	return 0;
}

/* ---- Time -------------------------------------------------------------------------------------------------------- */

/* Nanoseconds that a CPU has idled. A CPU whose idle thread does not exist yet has never done so. */
static uint64_t idle_ns(unsigned cpu)
{
	struct thread *idle = READ_ONCE(run_queue_of(cpu)->idle);

	return idle ? thread_runtime(idle) : 0;
}

static uint64_t idle_ns_all(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		if (cpus[i].online)
			sum += idle_ns(i);
	return sum;
}

int proc_uptime(struct pseudo_text *out, uint64_t key)
{
	uint64_t up = clock_monotonic() / PROC_NS_PER_TICK, idle = idle_ns_all() / PROC_NS_PER_TICK;

	(void)key;
	pseudo_printf(out, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
	return 0;
}

/* One line of CPU times: all that is not idle counts as a program's. */
static void cpu_line(struct pseudo_text *out, uint64_t busy, uint64_t idle)
{
	pseudo_printf(out, " %lu 0 0 %lu 0 0 0 0 0 0\n", busy / PROC_NS_PER_TICK, idle / PROC_NS_PER_TICK);
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static unsigned nr_running(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < nr_cpus; i++) {
		struct run_queue *rq = run_queue_of(i);

		if (cpus[i].online)
			n += READ_ONCE(rq->nr_queued) + (READ_ONCE(rq->current) != READ_ONCE(rq->idle));
	}
	return n;
}

int proc_system_stat(struct pseudo_text *out, uint64_t key)
{
	uint64_t up = clock_monotonic(), idle = idle_ns_all();

	(void)key;
	pseudo_puts(out, "cpu ");
	cpu_line(out, less(up * nr_cpus_online, idle), idle);
	for (unsigned i = 0; i < nr_cpus; i++) {
		if (!cpus[i].online)
			continue;
		idle = idle_ns(i);
		pseudo_printf(out, "cpu%u", i);
		cpu_line(out, less(up, idle), idle);
	}
	pseudo_printf(out, "intr 0\nctxt 0\nbtime %lu\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
		      (clock_realtime() - up) / NSEC_PER_SEC, thread_count(), nr_running());
	pseudo_puts(out, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
	return 0;
}

/*
 * Load averages, brought up to date when somebody asks instead of every 5 s: since then the number of busy CPUs was on average
 * what they did not idle. Fixed point with 11 bits; the factors of 5 s are Linux's (include/linux/sched/loadavg.h).
 */
#define LOAD_ONE 2048ul
#define LOAD_STEP (5 * NSEC_PER_SEC)

static struct {
	struct mutex lock; /* covers the rest */
	uint64_t at, idle;
	uint64_t loads[3];
} averages = { .lock = { .queue = WAIT_QUEUE_INIT(averages.lock.queue) } };

static uint64_t power(uint64_t factor, uint64_t n)
{
	uint64_t result = LOAD_ONE;

	for (; n; n >>= 1, factor = factor * factor / LOAD_ONE)
		if (n & 1)
			result = result * factor / LOAD_ONE;
	return result;
}

static void loads_update(uint64_t *loads)
{
	static const uint64_t factors[] = { 1884, 2014, 2037 };
	uint64_t now = clock_monotonic(), idle = idle_ns_all(), elapsed, busy, steps;

	mutex_lock(&averages.lock);
	elapsed = now - averages.at;
	steps = elapsed / LOAD_STEP;
	if (steps) {
		busy = less(elapsed / 1000 * nr_cpus_online, (idle - averages.idle) / 1000);
		busy = busy * LOAD_ONE / (elapsed / 1000);
		for (unsigned i = 0; i < 3; i++) {
			uint64_t keep = power(factors[i], steps);

			averages.loads[i] = (averages.loads[i] * keep + busy * (LOAD_ONE - keep)) / LOAD_ONE;
		}
		averages.at = now;
		averages.idle = idle;
	}
	memcpy(loads, averages.loads, sizeof(averages.loads));
	mutex_unlock(&averages.lock);
}

int proc_loadavg(struct pseudo_text *out, uint64_t key)
{
	uint64_t loads[3];
	const struct process *process = process_find(0);

	(void)key;
	loads_update(loads);
	for (unsigned i = 0; i < 3; i++)
		pseudo_printf(out, "%lu.%02lu ", loads[i] / LOAD_ONE, loads[i] % LOAD_ONE * 100 / LOAD_ONE);
	pseudo_printf(out, "%u/%u %d\n", MAX(nr_running(), 1u), thread_count(), process ? process->pid : 0);
	return 0;
}
