/*
 * Connects the terminal (file/tty.h) with the console driver (dev/console.h) and with processes. Output goes the way of the
 * log, to all consoles; input comes from the first one, as soon as somebody wants to read.
 */
#include "kernel/linux/tty_console.h"

#include "kernel/dev/console.h"
#include "kernel/file/abi.h"
#include "kernel/file/chardev.h"
#include "kernel/file/tty.h"
#include "kernel/fs/devfs.h"
#include "kernel/linux/task.h"

#define MAJOR_TTY 5
#define MINOR_TTY 0 /* the controlling terminal of who asks */
#define MINOR_CONSOLE 1

static struct tty tty;

static void console_write(struct tty *to, const char *bytes, size_t len)
{
	(void)to;
	log_raw(bytes, len);
}

static void console_input(struct console *console, const char *bytes, size_t len)
{
	(void)console;
	tty_input(&tty, bytes, len);
}

static int console_input_start(struct tty *of)
{
	struct console *console = console_first();

	(void)of;
	if (!console || !console->input_start)
		return -ENXIO;
	console->input = console_input;
	return console->input_start(console);
}

static void console_signal(int pgrp, int signo)
{
	const struct signal_info info = { .signo = signo, .code = SI_KERNEL };
	struct process *process = process_find(0);

	if (process && process->pgid == pgrp)
		signal_send_process(process, &info);
}

static void console_caller(struct tty_caller *out)
{
	const struct process *process = process_current();

	*out = (struct tty_caller){ process->pid, process->pgid, process->sid };
}

static int console_session_of(int pgrp)
{
	const struct process *process = process_find(0);

	return process->pgid == pgrp ? process->sid : -ESRCH;
}

static void console_getattr(struct tty *of, struct vnode_attr *attr)
{
	(void)of;
	devfs_console_attr(attr);
}

static const struct tty_ops ops = {
	.write = console_write,
	.input_start = console_input_start,
	.signal = console_signal,
	.caller = console_caller,
	.session_of = console_session_of,
	.getattr = console_getattr,
};

static int console_chardev_open(struct vnode *vnode, unsigned flags, struct file **out)
{
	if (dev_minor((uint32_t)vnode->rdev) == MINOR_TTY && tty.sid != process_current()->sid)
		return -ENXIO;
	return tty_open(&tty, flags, out);
}

int tty_console_open(unsigned flags, struct file **out)
{
	return tty_open(&tty, flags, out);
}

void tty_console_init(void)
{
	static struct chardev chardev = {
		.major = MAJOR_TTY, .minor = MINOR_TTY, .nr_minors = MINOR_CONSOLE + 1, .open = console_chardev_open
	};

	tty_init(&tty, &ops, "/dev/console");
	tty.sid = tty.pgrp = 1; /* the first process leads the session that the console belongs to */
	chardev_register(&chardev);
}
