/*
 * The main of an image whose program is a Linux executable in its root file system. As a list: root, mounts, process,
 * descriptors 0 to 2, program; then it waits for the end.
 *
 *	env=NAME=VALUE cwd=/data trace=syscalls -- /bin/program arguments
 */
#include "kernel/arch/arch.h"
#include "kernel/boot/bootinfo.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/file/abi.h"
#include "kernel/file/path.h"
#include "kernel/fs/erofs.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/init/main.h"
#include "kernel/linux/entry.h"
#include "kernel/linux/exec.h"
#include "kernel/linux/mounts.h"
#include "kernel/linux/syscall.h"
#include "kernel/linux/task.h"
#include "kernel/linux/tty_console.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/string.h"

/* Exit statuses of what never ran (as docker-run(1) and POSIX shells). */
enum { EXIT_CANNOT_START = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127, EXIT_SIGNAL = 128 };

#define ENV_MAX 64
/* Characters of a name in a line of the log: what follows it must fit as well. */
#define SHOWN_MAX 160
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int main(int argc, char **argv);

/* The root file system when it is a part of the image: see image.ld. */
extern const char rootfs_start[], rootfs_end[];

static char env_text[BOOTINFO_CMDLINE_MAX];
static char *env[ENV_MAX + 1];
static unsigned nr_env;
static struct exec_args program;

/* ---- Environment ------------------------------------------------------------------------------------------------ */

static bool env_has(const char *name, size_t len)
{
	for (unsigned i = 0; i < nr_env; i++)
		if (strncmp(env[i], name, len) == 0 && env[i][len] == '=')
			return true;
	return false;
}

static void env_add_default(char *text)
{
	if (nr_env < ENV_MAX && !env_has(text, (size_t)(strchr(text, '=') - text)))
		env[nr_env++] = text;
}

static void env_fill(const char *cmdline)
{
	static char path[] = "PATH=" PATH_DEFAULT, home[] = "HOME=/root";
	char *at = env_text;

	while (nr_env < ENV_MAX && cmdline_next(&cmdline, "env", at, sizeof(env_text) - (size_t)(at - env_text))) {
		if (!strchr(at, '=')) {
			log_warn("command line: env=%s has no value", at);
			continue;
		}
		env[nr_env++] = at;
		at += strlen(at) + 1;
	}
	env_add_default(path);
	env_add_default(home);
}

static const char *env_get(const char *name)
{
	size_t len = strlen(name);

	for (unsigned i = 0; i < nr_env; i++)
		if (strncmp(env[i], name, len) == 0 && env[i][len] == '=')
			return env[i] + len + 1;
	return "";
}

/* ---- Root file system ------------------------------------------------------------------------------------------- */

static int root_find(struct file_system **lower)
{
	const struct bootinfo *bi = boot_info();
	const struct boot_module *module = bi->modules;

	*lower = NULL;
	if (&rootfs_end[0] > &rootfs_start[0])
		return erofs_create(arch_layout.image_phys + ((uintptr_t)rootfs_start - arch_layout.image_virt),
				    rootfs_start, (size_t)(rootfs_end - rootfs_start), lower);
	if (!bi->nr_modules) {
		log_err("no root file system: it is neither in the image nor a boot module (-initrd)");
		return -ENODEV;
	}
	if (!arch_physmap_add(module->base, module->len))
		return -ENOMEM;
	return erofs_create(module->base, arch_phys_to_virt(module->base), module->len, lower);
}

static int root_mount(struct dentry **root)
{
	struct file_system *lower, *fs;
	int error = root_find(&lower);

	if (!error)
		error = tmpfs_create(lower, 0, 0755, &fs);
	if (!error)
		error = path_mount_root(fs, root);
	return error;
}

static int cwd_set(struct process *process, const char *cmdline)
{
	static char path[PATH_LEN_MAX];
	struct dentry *old = process->fs.cwd;
	struct walk walk;
	int error;

	if (!cmdline_get(cmdline, "cwd", path, sizeof(path)))
		return 0;
	error = path_walk(&process->fs, NULL, path, WALK_FOLLOW | WALK_DIRECTORY, &walk);
	if (error) {
		log_err("command line: cwd=%.*s: %s", SHOWN_MAX, path, errno_name((unsigned)-error));
		return error;
	}
	dentry_get(walk.dentry);
	process->fs.cwd = walk.dentry;
	walk_done(&walk);
	dentry_put(old);
	return 0;
}

/* ---- Program ---------------------------------------------------------------------------------------------------- */

static int stdio_open(struct process *process)
{
	struct file *file;
	int error = tty_console_open(O_RDWR, &file);

	if (error)
		return error;
	file_get(file);
	file_get(file);
	for (unsigned fd = 0; fd < 3; fd++) {
		error = fdtable_install(process->files, file, fd, 0);
		if (error < 0)
			return error;
	}
	return 0;
}

/* A place that does not have the program, or not one that may be executed, does not end the search. */
static bool is_passed_over(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -EACCES;
}

/* A name without a slash is looked for in PATH, as execvp(3) does; an empty part of that is the current folder. */
static int program_load(struct trapframe *frame)
{
	static char path[PATH_LEN_MAX];
	const char *list = env_get("PATH");
	int error = -ENOENT, tried = -ENOENT;

	if (!*program.path || strchr(program.path, '/'))
		return exec_load(&program, frame);
	for (const char *end; is_passed_over(tried) && *list; list = *end ? end + 1 : end) {
		end = strchr(list, ':');
		if (!end)
			end = list + strlen(list);
		fmt_format(path, sizeof(path), "%.*s/%s", end > list ? (int)(end - list) : 1, end > list ? list : ".",
			   program.argv[0]);
		program.path = path;
		tried = exec_load(&program, frame);
		if (tried != -ENOENT && tried != -ENOTDIR)
			error = tried;
	}
	return is_passed_over(tried) ? error : tried;
}

/* The first task: it becomes the program. */
static int init_run(void *arg)
{
	struct trapframe frame;
	int error = program_load(&frame);

	(void)arg;
	if (error) {
		log_err("%.*s cannot be started: %s", SHOWN_MAX, program.argv[0], errno_name((unsigned)-error));
		process_exit((error == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE) << 8);
	}
	app_start(&frame);
}

static int exit_code(int status)
{
	return status & 0x7f ? EXIT_SIGNAL + (status & 0x7f) : status >> 8 & 0xff;
}

static int process_run(struct process *process)
{
	struct task *task;
	int error = task_create(process, NULL, init_run, &task), status;

	if (error)
		return error;
	thread_release(task->thread);
	process_wait(process);
	status = exit_code(process->exit_status);
	process_free(process);
	return status;
}

int main(int argc, char **argv)
{
	const char *cmdline = boot_info()->cmdline;
	struct process *process;
	struct dentry *root;
	int error;

	if (argc < 2) {
		log_err("no program: its path and arguments follow -- on the command line");
		return EXIT_CANNOT_START;
	}
	env_fill(cmdline);
	program = (struct exec_args){ argv[1], argv + 1, env };
	syscall_trace_init(cmdline);
	error = root_mount(&root);
	if (!error)
		error = process_create(root, &process);
	if (error)
		goto out;
	tty_console_init();
	linux_mounts_init(root, cmdline);
	error = cwd_set(process, cmdline);
	if (!error)
		error = stdio_open(process);
	if (!error)
		error = process_run(process);
out:
	if (error >= 0)
		return error;
	log_err("the program cannot be started: %s", errno_name((unsigned)-error));
	return EXIT_CANNOT_START;
}
