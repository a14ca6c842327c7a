/* The mappings as a list: /proc/PID/maps, and the report when memory is short. */
#include "kernel/core/log.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/vm_area.h"
#include "lib/string.h"
#include "lib/util.h"

#define PATH_LEN 4096

static void count_entry(void *arg, pte_t *entry, uintptr_t va, size_t size)
{
	struct vm_info *info = arg;

	(void)va;
	info->nr_resident += size / PAGE_SIZE;
	if (pte_is_private(*entry))
		info->nr_private += size / PAGE_SIZE;
}

static const char *special_name(const struct vm_area *area)
{
	if (area->flags & VM_STACK)
		return "[stack]";
	return area->flags & VM_BRK ? "[heap]" : "";
}

static int for_each(struct vmspace *vm, uintptr_t from, int (*fn)(const struct vm_info *info, void *arg), void *arg,
		    bool count)
{
	char *path = kmalloc(PATH_LEN);
	struct vm_area *area;
	int err = 0;

	mutex_lock(&vm->lock);
	for (area = area_find_from(vm, from); area && !err; area = area_next(area)) {
		struct vm_info info = { .start = area->region.start,
					.end = area->region.end,
					.prot = area->prot,
					.flags = area->flags,
					.name = special_name(area) };

		if (area->object) {
			info.off = area->off;
			if (path && !*info.name) {
				path[0] = '\0';
				area->object->ops->describe(area->object, path, PATH_LEN, &info.dev, &info.ino);
				info.name = path;
			}
		}
		if (count)
			arch_pt_visit(&vm->arch, info.start, info.end, count_entry, &info);
		err = fn(&info, arg);
	}
	mutex_unlock(&vm->lock);
	kfree(path);
	return err;
}

int vm_for_each(struct vmspace *vm, uintptr_t from, int (*fn)(const struct vm_info *info, void *arg), void *arg)
{
	return for_each(vm, from, fn, arg, false);
}

int vm_for_each_counted(struct vmspace *vm, uintptr_t from, int (*fn)(const struct vm_info *info, void *arg), void *arg)
{
	return for_each(vm, from, fn, arg, true);
}

/* ---- When memory is short --------------------------------------------------------------------------------------- */

#define REPORT_LARGEST 5

struct report {
	uint64_t anonymous, files;
	unsigned nr;
	struct {
		uintptr_t start, end;
		uint64_t nr_resident;
		char name[64];
	} largest[REPORT_LARGEST];
};

static int report_one(const struct vm_info *info, void *arg)
{
	struct report *report = arg;
	unsigned i = report->nr;

	report->anonymous += info->nr_private;
	report->files += info->nr_resident - info->nr_private;
	if (i < REPORT_LARGEST)
		report->nr++;
	else if (report->largest[--i].nr_resident >= info->nr_resident)
		return 0;
	for (; i && report->largest[i - 1].nr_resident < info->nr_resident; i--)
		report->largest[i] = report->largest[i - 1];
	report->largest[i].start = info->start;
	report->largest[i].end = info->end;
	report->largest[i].nr_resident = info->nr_resident;
	strlcpy(report->largest[i].name, info->name, sizeof(report->largest[i].name));
	return 0;
}

static unsigned long kib(uint64_t pages)
{
	return pages * (PAGE_SIZE / 1024);
}

void vm_report(struct vmspace *vm, const char *who)
{
	struct report report = { 0 };
	struct page_stats stats;

	page_stats(&stats);
	vm_for_each_counted(vm, 0, report_one, &report);
	log_err("out of memory: %s: anonymous %lu KiB, files %lu KiB, page tables %lu KiB; all memory %lu KiB, free %lu KiB, "
		"kernel and page cache %lu KiB",
		who, kib(report.anonymous), kib(report.files), kib(vm->arch.nr_tables), kib(stats.total),
		kib(stats.free),
		kib(stats.total - stats.free - MIN(stats.total - stats.free, report.anonymous + vm->arch.nr_tables)));
	for (unsigned i = 0; i < report.nr; i++)
		log_err("  %#lx-%#lx %lu of %lu KiB %s", report.largest[i].start, report.largest[i].end,
			kib(report.largest[i].nr_resident), (report.largest[i].end - report.largest[i].start) / 1024,
			report.largest[i].name);
}
