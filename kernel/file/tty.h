/*
 * A terminal's line discipline (termios(3), ioctl_tty(2)): what is typed is edited and handed out line by line, or raw; some
 * characters are signals; what is written goes out. It knows neither the device nor processes: both are behind struct tty_ops,
 * which kernel/linux/console.c fills in.
 *
 * Files: tty.c (reading, writing), tty_input.c (what is typed), tty_ioctl.c. Nothing is allocated before somebody reads.
 */
#ifndef KERNEL_FILE_TTY_H
#define KERNEL_FILE_TTY_H

#include "kernel/file/abi_tty.h"
#include "kernel/file/file.h"

struct tty;
struct vnode;

/* The calling process. */
struct tty_caller {
	int pid, pgrp, sid;
};

struct tty_ops {
	/* Bytes to the device, which has taken them when it returns. Any context, tty->lock may be held. */
	void (*write)(struct tty *tty, const char *bytes, size_t len);
	/* Somebody wants to read: tty_input may be called from now on. Once. 0; an error: reads end at once. */
	int (*input_start)(struct tty *tty);
	/* SIGNO to all processes of group PGRP. Any context, tty->lock held. */
	void (*signal)(int pgrp, int signo);
	void (*caller)(struct tty_caller *out);
	/* The session of group PGRP; -ESRCH: there is no such group. */
	int (*session_of)(int pgrp);
	/* What fstat(2) says of a file that was not opened by a path. */
	void (*getattr)(struct tty *tty, struct vnode_attr *attr);
};

#define TTY_RING 4096u

/* What was typed. Positions count up and wrap at TTY_RING only when they are used. */
struct tty_ring {
	char bytes[TTY_RING];
	uint64_t ends[TTY_RING /
		      64]; /* a line ends with this byte; a NUL that does is the end of the file, and not handed out */
};

struct tty {
	const struct tty_ops *ops;
	const char *name;     /* for /proc/PID/fd: "/dev/console" */
	struct spinlock lock; /* covers the rest but for output_lock; taken in interrupts: spin_lock_irqsave */
	struct linux_termios termios;
	struct linux_winsize winsize;
	int sid, pgrp; /* whose controlling terminal it is (0: nobody's), and who gets signals */
	struct tty_ring *ring;
	uint32_t tail, ready, head; /* read up to; may be read up to; end of the line that is being typed */
	bool literal;		    /* the next character is none of those with a meaning (VLNEXT) */
	bool stopped;		    /* output waits (VSTOP) */
	bool no_input;		    /* input_start failed */
	struct wait_queue readers, writers;
	struct poll_source source;
	struct mutex input_lock;  /* input_start: one at a time */
	struct mutex output_lock; /* long writes: one at a time */
};

/*
 * With Linux's settings but for one: a line feed goes out as it is (ONLCR is off), so that what a program prints can be
 * compared byte by byte. TTY zeroed; it stays.
 */
void tty_init(struct tty *tty, const struct tty_ops *ops, const char *name);
/* Bytes that arrived. Any context. */
void tty_input(struct tty *tty, const char *bytes, size_t len);
/* An open file of TTY. 0, -ENOMEM. */
int tty_open(struct tty *tty, unsigned flags, struct file **out);

/* ---- Between the three files ------------------------------------------------------------------------------------- */

/* Output with OPOST applied. Any context. */
void tty_output(struct tty *tty, const char *bytes, size_t len);
/* How many bytes a read would get now; and drops them all. tty->lock held. */
uint32_t tty_available(const struct tty *tty);
void tty_flush_input(struct tty *tty);
/* Settings change: what was typed is kept, its lines may end elsewhere. tty->lock held. */
void tty_termios_set(struct tty *tty, const struct linux_termios *termios);
/* Output goes on or waits. Any context; tty->lock held. */
void tty_stop(struct tty *tty, bool stopped);
long tty_ioctl(struct file *file, unsigned request, unsigned long arg);

struct tty_file {
	struct file file;
	struct tty *tty;
};

static inline struct tty *tty_of(struct file *file)
{
	return container_of(file, struct tty_file, file)->tty;
}

static inline bool tty_is_end(const struct tty_ring *ring, uint32_t at)
{
	return ring->ends[at % TTY_RING / 64] >> at % 64 & 1;
}

#endif
