/* /proc/PID: mounts, mountinfo, mountstats (proc(5), fstab(5)). */
#include "kernel/file/abi.h"
#include "kernel/linux/proc.h"
#include "kernel/linux/task.h"
#include "kernel/mem/slab.h"
#include "lib/list.h"
#include "lib/string.h"

#define ID_FIRST 20 /* any number does */

/* A mount that was seen: to find what a later one is mounted in. */
struct seen {
	struct seen *next; /* the one before */
	int id;
	size_t len;
	char path[];
};

enum form { FORM_MOUNTS, FORM_INFO, FORM_STATS };

struct report {
	struct pseudo_text *out;
	enum form form;
	struct seen *seen;
	int id;
};

/* With white space and backslashes as \ooo. */
static void escaped(struct pseudo_text *out, const char *text)
{
	for (; *text; text++) {
		if (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\\')
			pseudo_printf(out, "\\%03o", (unsigned)*text);
		else
			pseudo_write(out, text, 1);
	}
}

static void options(struct pseudo_text *out, const struct file_system *fs, unsigned flags)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = { { MS_NOSUID, ",nosuid" },	  { MS_NODEV, ",nodev" },	    { MS_NOEXEC, ",noexec" },
		      { MS_NOATIME, ",noatime" }, { MS_NODIRATIME, ",nodiratime" }, { MS_RELATIME, ",relatime" } };

	pseudo_puts(out, fs->read_only || flags & MS_RDONLY ? "ro" : "rw");
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			pseudo_puts(out, names[i].name);
}

static bool is_below(const char *path, const struct seen *mount)
{
	return !memcmp(path, mount->path, mount->len) &&
	       (mount->len == 1 || path[mount->len] == '/' || !path[mount->len]);
}

/* The longest path seen so far that PATH is below of. */
static int parent_of(const struct report *report, const char *path)
{
	size_t best = 0, len = strlen(path);
	int id = ID_FIRST - 1;

	for (const struct seen *at = report->seen; at; at = at->next)
		if (at->len > best && at->len <= len && is_below(path, at)) {
			best = at->len;
			id = at->id;
		}
	return id;
}

static void line(struct report *report, const char *path, const struct file_system *fs, const char *source,
		 unsigned flags)
{
	struct pseudo_text *out = report->out;

	switch (report->form) {
	case FORM_MOUNTS:
		escaped(out, source);
		pseudo_puts(out, " ");
		escaped(out, path);
		pseudo_printf(out, " %s ", fs->type);
		options(out, fs, flags);
		pseudo_puts(out, " 0 0\n");
		break;
	case FORM_INFO:
		pseudo_printf(out, "%d %d %u:%u / ", report->id, parent_of(report, path), dev_major((uint32_t)fs->dev),
			      dev_minor((uint32_t)fs->dev));
		escaped(out, path);
		pseudo_puts(out, " ");
		options(out, fs, flags);
		pseudo_printf(out, " - %s ", fs->type);
		escaped(out, source);
		pseudo_puts(out, fs->read_only ? " ro\n" : " rw\n");
		break;
	case FORM_STATS:
		pseudo_puts(out, "device ");
		escaped(out, source);
		pseudo_puts(out, " mounted on ");
		escaped(out, path);
		pseudo_printf(out, " with fstype %s\n", fs->type);
		break;
	}
}

static void mount_seen(struct dentry *at, struct file_system *fs, const char *source, unsigned flags, void *arg)
{
	struct report *report = arg;
	char *page = kmalloc(PATH_LEN_MAX), *path;
	struct seen *seen;
	bool reachable;

	path = page ? path_of(NULL, at, page, PATH_LEN_MAX, &reachable) : NULL;
	if (!path) {
		report->out->failed |= !page;
		kfree(page);
		return;
	}
	line(report, path, fs, source, flags);
	seen = kmalloc(sizeof(*seen) + strlen(path) + 1);
	if (seen) {
		seen->next = report->seen;
		seen->id = report->id;
		seen->len = strlen(path);
		memcpy(seen->path, path, seen->len + 1);
		report->seen = seen;
	} else {
		report->out->failed = true;
	}
	report->id++;
	kfree(page);
}

static int report_make(struct pseudo_text *out, enum form form)
{
	struct report report = { .out = out, .form = form, .id = ID_FIRST };
	struct seen *next;

	path_for_each_mount(mount_seen, &report);
	for (; report.seen; report.seen = next) {
		next = report.seen->next;
		kfree(report.seen);
	}
	return 0;
}

int proc_mounts(struct pseudo_text *out, uint64_t key)
{
	(void)key;
	return report_make(out, FORM_MOUNTS);
}

int proc_mountinfo(struct pseudo_text *out, uint64_t key)
{
	(void)key;
	return report_make(out, FORM_INFO);
}

int proc_mountstats(struct pseudo_text *out, uint64_t key)
{
	(void)key;
	return report_make(out, FORM_STATS);
}
