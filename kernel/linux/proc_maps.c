/* /proc/PID/maps, smaps, smaps_rollup: the mappings of a process. */
#include "kernel/file/abi.h"
#include "kernel/linux/proc.h"
#include "kernel/linux/task.h"
#include "kernel/mem/vmspace.h"
#include "lib/errno.h"
#include "lib/string.h"

#define NAME_COLUMN 73

static bool is_readable(const struct vm_info *info)
{
	return info->prot & PT_READ;
}

/* One line as Linux has it: two digits at least for device numbers, eight for addresses, the name in column 73. */
static void line_append(struct pseudo_text *out, const struct vm_info *info)
{
	size_t start = out->len;

	pseudo_printf(out, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", info->start, info->end,
		      is_readable(info) ? 'r' : '-', info->prot & PT_WRITE ? 'w' : '-',
		      info->prot & PT_EXEC ? 'x' : '-', info->flags & VM_SHARED ? 's' : 'p', info->off,
		      dev_major((uint32_t)info->dev), dev_minor((uint32_t)info->dev), info->ino);
	if (info->name && info->name[0]) {
		if (out->len - start < NAME_COLUMN)
			pseudo_printf(out, "%*s", (int)(NAME_COLUMN - (out->len - start)), "");
		pseudo_puts(out, info->name);
	}
	pseudo_puts(out, "\n");
}

static int maps_entry(const struct vm_info *info, void *arg)
{
	struct pseudo_text *out = arg;

	line_append(out, info);
	return out->failed;
}

int proc_maps(struct pseudo_text *out, uint64_t key)
{
	struct process *process = proc_process(key);

	if (!process)
		return -ESRCH;
	vm_for_each(process->vm, 0, maps_entry, out);
	return 0;
}

/* Calls fn for each mapping, with its pages counted. */
static int for_each_counted(uint64_t key, int (*fn)(const struct vm_info *info, void *arg), void *arg)
{
	struct process *process = proc_process(key);

	if (!process)
		return -ESRCH;
	vm_for_each_counted(process->vm, 0, fn, arg);
	return 0;
}

/* ---- Sums -------------------------------------------------------------------------------------------------------- */

static bool is_stack(const struct vm_info *info)
{
	return info->flags & (VM_STACK | VM_GROWSDOWN);
}

struct sum {
	struct proc_vm *vm;
	uint64_t exe; /* the program's inode number; 0: none */
};

static int sum_entry(const struct vm_info *info, void *arg)
{
	const struct sum *sum = arg;
	struct proc_vm *vm = sum->vm;
	uint64_t pages = (info->end - info->start) / PAGE_SIZE;

	vm->anon += info->nr_private;
	vm->file += info->nr_resident - info->nr_private;
	if (is_stack(info))
		vm->stack += pages;
	else if (info->prot & PT_EXEC && info->ino && info->ino == sum->exe)
		vm->exec += pages;
	else if (info->prot & PT_EXEC)
		vm->libraries += pages;
	else if (info->prot & PT_WRITE && !(info->flags & VM_SHARED))
		vm->data += pages;
	return 0;
}

void proc_vm_sum(struct process *process, struct proc_vm *out)
{
	const struct vmspace *vm = process->vm;
	struct sum sum = { out, process->exe ? dentry_vnode(process->exe)->ino : 0 };

	memset(out, 0, sizeof(*out));
	out->mapped = vm->nr_mapped;
	out->resident = vm->nr_resident;
	out->peak = MAX(vm->nr_peak, vm->nr_resident);
	out->locked = vm->nr_locked;
	vm_for_each_counted(process->vm, 0, sum_entry, &sum);
}

/* ---- smaps ------------------------------------------------------------------------------------------------------- */

/* What smaps says of one mapping or of all: sizes in KiB. Pages of files are clean. */
struct usage {
	uint64_t size, rss, file, anon, locked;
};

static void usage_of(const struct vm_info *info, struct usage *usage)
{
	uint64_t kib = PAGE_SIZE / 1024, rss = info->nr_resident * kib;

	usage->size += (info->end - info->start) / 1024;
	usage->rss += rss;
	usage->anon += info->nr_private * kib;
	usage->file += (info->nr_resident - info->nr_private) * kib;
	usage->locked += info->flags & VM_LOCKED ? rss : 0;
}

static void usage_append(struct pseudo_text *out, const struct usage *usage, bool rollup)
{
	const struct {
		const char *name;
		uint64_t kib;
		bool single; /* not in smaps_rollup */
	} lines[] = {
		{ "Size:", usage->size, true },
		{ "KernelPageSize:", 4, true },
		{ "MMUPageSize:", 4, true },
		{ "Rss:", usage->rss, false },
		{ "Pss:", usage->rss, false },
		{ "Pss_Dirty:", usage->anon, false },
		{ "Shared_Clean:", 0, false },
		{ "Shared_Dirty:", 0, false },
		{ "Private_Clean:", usage->file, false },
		{ "Private_Dirty:", usage->anon, false },
		{ "Referenced:", usage->rss, false },
		{ "Anonymous:", usage->anon, false },
		{ "LazyFree:", 0, false },
		{ "AnonHugePages:", 0, false },
		{ "ShmemPmdMapped:", 0, false },
		{ "FilePmdMapped:", 0, false },
		{ "Shared_Hugetlb:", 0, false },
		{ "Private_Hugetlb:", 0, false },
		{ "Swap:", 0, false },
		{ "SwapPss:", 0, false },
		{ "Locked:", usage->locked, false },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++)
		if (!(rollup && lines[i].single))
			pseudo_printf(out, "%-16s%8lu kB\n", lines[i].name, lines[i].kib);
}

static int smaps_entry(const struct vm_info *info, void *arg)
{
	struct pseudo_text *out = arg;
	struct usage usage = { 0 };

	line_append(out, info);
	usage_of(info, &usage);
	usage_append(out, &usage, false);
	pseudo_printf(out, "THPeligible:    0\nVmFlags: %s%s%s%smr mw me %s%s\n", is_readable(info) ? "rd " : "",
		      info->prot & PT_WRITE ? "wr " : "", info->prot & PT_EXEC ? "ex " : "",
		      info->flags & VM_SHARED ? "sh " : "", is_stack(info) ? "gd " : "",
		      info->flags & VM_LOCKED ? "lo " : "");
	return out->failed;
}

int proc_smaps(struct pseudo_text *out, uint64_t key)
{
	return for_each_counted(key, smaps_entry, out);
}

struct rollup {
	struct usage usage;
	uintptr_t start, end;
};

static int rollup_entry(const struct vm_info *info, void *arg)
{
	struct rollup *rollup = arg;

	if (!rollup->end)
		rollup->start = info->start;
	rollup->end = info->end;
	usage_of(info, &rollup->usage);
	return 0;
}

int proc_smaps_rollup(struct pseudo_text *out, uint64_t key)
{
	struct rollup rollup = { 0 };
	const struct vm_info all = { .name = "[rollup]" };
	struct vm_info line = all;
	int error = for_each_counted(key, rollup_entry, &rollup);

	if (error)
		return error;
	line.start = rollup.start;
	line.end = rollup.end;
	line_append(out, &line);
	usage_append(out, &rollup.usage, true);
	return 0;
}
