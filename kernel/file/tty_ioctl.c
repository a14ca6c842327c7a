/* Terminals: ioctl_tty(2). See tty.h. */
#include "kernel/file/abi.h"
#include "kernel/file/tty.h"
#include "kernel/mem/user.h"
#include "lib/errno.h"
#include "lib/string.h"

#define TIOCEXCL 0x540C
#define TIOCNXCL 0x540D
#define TIOCGETD 0x5424

#define SIGHUP 1
#define SIGCONT 18
#define SIGWINCH 28

static int put(unsigned long arg, const void *value, size_t len)
{
	return user_range_is_valid((void *)arg, len) ? user_write((void *)arg, value, len) : -EFAULT;
}

static int get(void *value, unsigned long arg, size_t len)
{
	return user_range_is_valid((const void *)arg, len) ? user_read(value, (const void *)arg, len) : -EFAULT;
}

static int put_int(unsigned long arg, int value)
{
	return put(arg, &value, sizeof(value));
}

/* ---- Settings ---------------------------------------------------------------------------------------------------- */

static int termios_get(struct tty *tty, unsigned long arg)
{
	unsigned long irq = spin_lock_irqsave(&tty->lock);
	struct linux_termios termios = tty->termios;

	spin_unlock_irqrestore(&tty->lock, irq);
	return put(arg, &termios, sizeof(termios));
}

/* What was written is out already: there is nothing to wait for (TCSETSW). */
static int termios_set(struct tty *tty, unsigned long arg, bool flush)
{
	struct linux_termios termios;
	unsigned long irq;
	int error = get(&termios, arg, sizeof(termios));

	if (error)
		return error;
	irq = spin_lock_irqsave(&tty->lock);
	if (flush)
		tty_flush_input(tty);
	tty_termios_set(tty, &termios);
	spin_unlock_irqrestore(&tty->lock, irq);
	wait_wake(&tty->readers, UINT32_MAX); /* what they wait for may be there now */
	return 0;
}

static int winsize_get(struct tty *tty, unsigned long arg)
{
	unsigned long irq = spin_lock_irqsave(&tty->lock);
	struct linux_winsize winsize = tty->winsize;

	spin_unlock_irqrestore(&tty->lock, irq);
	return put(arg, &winsize, sizeof(winsize));
}

static int winsize_set(struct tty *tty, unsigned long arg)
{
	struct linux_winsize winsize;
	unsigned long irq;
	int error = get(&winsize, arg, sizeof(winsize));

	if (error)
		return error;
	irq = spin_lock_irqsave(&tty->lock);
	if (memcmp(&winsize, &tty->winsize, sizeof(winsize)) && tty->pgrp)
		tty->ops->signal(tty->pgrp, SIGWINCH);
	tty->winsize = winsize;
	spin_unlock_irqrestore(&tty->lock, irq);
	return 0;
}

/* TCFLSH. */
static int flush(struct tty *tty, unsigned long which)
{
	unsigned long irq;

	if (which > 2)
		return -EINVAL;
	irq = spin_lock_irqsave(&tty->lock);
	if (which != 1)
		tty_flush_input(tty);
	spin_unlock_irqrestore(&tty->lock, irq);
	return 0;
}

/* TCXONC: 0 and 1 stop and start output, 2 and 3 tell the other side to. */
static int flow(struct tty *tty, unsigned long what)
{
	unsigned long irq;
	char c;

	if (what > 3)
		return -EINVAL;
	irq = spin_lock_irqsave(&tty->lock);
	if (what < 2)
		tty_stop(tty, what == 0);
	c = (char)tty->termios.cc[what == 2 ? VSTOP : VSTART];
	spin_unlock_irqrestore(&tty->lock, irq);
	if (what >= 2 && c)
		tty->ops->write(tty, &c, 1);
	return 0;
}

static int available(struct tty *tty, unsigned long arg)
{
	unsigned long irq = spin_lock_irqsave(&tty->lock);
	int n = (int)tty_available(tty);

	spin_unlock_irqrestore(&tty->lock, irq);
	return put_int(arg, n);
}

/* ---- Sessions ---------------------------------------------------------------------------------------------------- */

/* It is the caller's controlling terminal. */
static bool is_controlling(const struct tty *tty)
{
	struct tty_caller caller;

	tty->ops->caller(&caller);
	return tty->sid && tty->sid == caller.sid;
}

/* TIOCSCTTY. FORCE: takes it from another session. */
static int control(struct tty *tty, bool force)
{
	struct tty_caller caller;
	unsigned long irq;
	int error = 0;

	tty->ops->caller(&caller);
	irq = spin_lock_irqsave(&tty->lock);
	if (tty->sid == caller.sid && caller.pid == caller.sid) {
		error = 0;
	} else if (caller.pid != caller.sid || (tty->sid && !force)) {
		error = -EPERM;
	} else {
		tty->sid = caller.sid;
		tty->pgrp = caller.pgrp;
	}
	spin_unlock_irqrestore(&tty->lock, irq);
	return error;
}

/* TIOCNOTTY: a session leader gives it up for all. */
static int uncontrol(struct tty *tty)
{
	struct tty_caller caller;
	unsigned long irq;

	if (!is_controlling(tty))
		return -ENOTTY;
	tty->ops->caller(&caller);
	if (caller.pid != caller.sid)
		return 0;
	irq = spin_lock_irqsave(&tty->lock);
	if (tty->pgrp) {
		tty->ops->signal(tty->pgrp, SIGHUP);
		tty->ops->signal(tty->pgrp, SIGCONT);
	}
	tty->sid = tty->pgrp = 0;
	spin_unlock_irqrestore(&tty->lock, irq);
	return 0;
}

static int foreground_set(struct tty *tty, unsigned long arg)
{
	int pgrp, sid, error = get(&pgrp, arg, sizeof(pgrp));
	unsigned long irq;

	if (!is_controlling(tty))
		return -ENOTTY;
	if (error)
		return error;
	if (pgrp < 0)
		return -EINVAL;
	sid = tty->ops->session_of(pgrp);
	if (sid < 0)
		return sid;
	irq = spin_lock_irqsave(&tty->lock);
	error = sid == tty->sid ? 0 : -EPERM;
	if (!error)
		tty->pgrp = pgrp;
	spin_unlock_irqrestore(&tty->lock, irq);
	return error;
}

static long session_ioctl(struct tty *tty, unsigned request, unsigned long arg)
{
	switch (request) {
	case TIOCSCTTY:
		return control(tty, arg == 1);
	case TIOCNOTTY:
		return uncontrol(tty);
	case TIOCGPGRP:
		return is_controlling(tty) ? put_int(arg, tty->pgrp) : -ENOTTY;
	case TIOCSPGRP:
		return foreground_set(tty, arg);
	case TIOCGSID:
		return is_controlling(tty) ? put_int(arg, tty->sid) : -ENOTTY;
	}
	return -ENOTTY;
}

long tty_ioctl(struct file *file, unsigned request, unsigned long arg)
{
	struct tty *tty = tty_of(file);

	switch (request) {
	case TCGETS:
		return termios_get(tty, arg);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return termios_set(tty, arg, request == TCSETSF);
	case TIOCGWINSZ:
		return winsize_get(tty, arg);
	case TIOCSWINSZ:
		return winsize_set(tty, arg);
	case TCFLSH:
		return flush(tty, arg);
	case TCXONC:
		return flow(tty, arg);
	case TCSBRK: /* a break means nothing here; output is out */
	case TCSBRKP:
	case TIOCEXCL:
	case TIOCNXCL:
		return 0;
	case FIONREAD:
		return available(tty, arg);
	case TIOCOUTQ:
	case TIOCGETD:
		return put_int(arg, 0);
	}
	return session_ioctl(tty, request, arg);
}
