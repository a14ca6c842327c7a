/* Terminals: what is typed (termios(3)). Everything here runs with tty->lock held, mostly in interrupts. */
#include "kernel/file/tty.h"

#include "lib/string.h"

#define SIGINT 2
#define SIGQUIT 3
#define SIGTSTP 20

/* Echo is gathered, so that the device is asked once for a burst of input. */
struct echo {
	struct tty *tty;
	char buf[64];
	size_t n;
};

static void echo_flush(struct echo *echo)
{
	if (echo->n)
		tty_output(echo->tty, echo->buf, echo->n);
	echo->n = 0;
}

static void echo_put(struct echo *echo, char c)
{
	if (echo->n == sizeof(echo->buf))
		echo_flush(echo);
	echo->buf[echo->n++] = c;
}

static void echo_text(struct echo *echo, const char *text)
{
	while (*text)
		echo_put(echo, *text++);
}

/* C as it is shown: control characters as ^X where ECHOCTL says so. */
static void echo_char(struct echo *echo, char c)
{
	bool control = ((unsigned char)c < ' ' && c != '\t') || c == 127;

	if (control && echo->tty->termios.lflag & ECHOCTL) {
		echo_put(echo, '^');
		c ^= 0x40;
	}
	echo_put(echo, c);
}

/* C is the special character that cc[INDEX] names; 0 names none (_POSIX_VDISABLE). */
static inline bool is_char(const struct tty *tty, char c, unsigned index)
{
	return c && (uint8_t)c == tty->termios.cc[index];
}

/* ---- The ring ---------------------------------------------------------------------------------------------------- */

uint32_t tty_available(const struct tty *tty)
{
	uint32_t n = tty->ready - tty->tail;

	if (!tty->ring || !(tty->termios.lflag & ICANON))
		return n;
	for (uint32_t at = tty->tail; at != tty->ready; at++)
		n -= tty_is_end(tty->ring, at) && !tty->ring->bytes[at % TTY_RING];
	return n;
}

void tty_flush_input(struct tty *tty)
{
	tty->tail = tty->ready = tty->head;
}

static void mark(struct tty_ring *ring, uint32_t at, bool end)
{
	uint64_t bit = 1ul << at % 64;

	if (end)
		ring->ends[at % TTY_RING / 64] |= bit;
	else
		ring->ends[at % TTY_RING / 64] &= ~bit;
}

/* False: full. The last place is kept for the end of the line. */
static bool store(struct tty *tty, char c, bool end)
{
	uint32_t room = TTY_RING - (tty->head - tty->tail);

	if (room < (end ? 1u : 2u))
		return false;
	tty->ring->bytes[tty->head % TTY_RING] = c;
	mark(tty->ring, tty->head, end);
	tty->head++;
	return true;
}

/* As Linux: what was typed in raw mode is one line, whose last byte ends it; an unfinished line can be read in raw mode. */
void tty_termios_set(struct tty *tty, const struct linux_termios *termios)
{
	bool was = tty->termios.lflag & ICANON, is = termios->lflag & ICANON;

	if (tty->ring && was != is) {
		memset(tty->ring->ends, 0, sizeof(tty->ring->ends));
		if (is && tty->head != tty->tail)
			mark(tty->ring, tty->head - 1, true);
		tty->ready = tty->head;
		tty->literal = false;
	}
	tty->termios = *termios;
	if (tty->stopped && !(termios->iflag & IXON))
		tty_stop(tty, false);
}

/* ---- Editing ----------------------------------------------------------------------------------------------------- */

static bool is_continuation(const struct tty *tty, char c)
{
	return tty->termios.iflag & IUTF8 && ((unsigned char)c & 0xc0) == 0x80;
}

/* Takes one character off the line and, where shown, off the screen: VERASE only where ECHOE says so. */
static void erase_one(struct tty *tty, struct echo *echo, bool by_verase)
{
	char c;

	do
		c = tty->ring->bytes[--tty->head % TTY_RING];
	while (tty->head != tty->ready && is_continuation(tty, c));
	if (!(tty->termios.lflag & ECHO))
		return;
	if (by_verase && !(tty->termios.lflag & ECHOE)) {
		echo_char(echo, (char)tty->termios.cc[VERASE]);
		return;
	}
	if (((unsigned char)c < ' ' && c != '\t') || c == 127) {
		if (!(tty->termios.lflag & ECHOCTL))
			return;
		echo_text(echo, "\b \b");
	}
	echo_text(echo, "\b \b");
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' || (unsigned char)c >= 128;
}

static void erase_word(struct tty *tty, struct echo *echo)
{
	bool seen = false;

	while (tty->head != tty->ready) {
		bool word = is_word(tty->ring->bytes[(tty->head - 1) % TTY_RING]);

		if (seen && !word)
			return;
		seen |= word;
		erase_one(tty, echo, false);
	}
}

static void erase_line(struct tty *tty, struct echo *echo)
{
	uint32_t all = ECHO | ECHOE | ECHOK | ECHOKE, flags = tty->termios.lflag;

	if (tty->head == tty->ready)
		return;
	if ((flags & all) == all) {
		while (tty->head != tty->ready)
			erase_one(tty, echo, false);
		return;
	}
	tty->head = tty->ready;
	if (!(flags & ECHO))
		return;
	echo_char(echo, (char)tty->termios.cc[VKILL]);
	if (flags & ECHOK)
		echo_put(echo, '\n');
}

static void reprint(struct tty *tty, struct echo *echo)
{
	echo_char(echo, (char)tty->termios.cc[VREPRINT]);
	echo_put(echo, '\n');
	for (uint32_t at = tty->ready; at != tty->head; at++)
		echo_char(echo, tty->ring->bytes[at % TTY_RING]);
}

/* True: C edits the line that is being typed. */
static bool edit(struct tty *tty, char c, struct echo *echo)
{
	bool extended = tty->termios.lflag & IEXTEN;

	if (is_char(tty, c, VERASE)) {
		if (tty->head != tty->ready)
			erase_one(tty, echo, true);
	} else if (is_char(tty, c, VKILL)) {
		erase_line(tty, echo);
	} else if (extended && is_char(tty, c, VWERASE)) {
		erase_word(tty, echo);
	} else if (extended && tty->termios.lflag & ECHO && is_char(tty, c, VREPRINT)) {
		reprint(tty, echo);
	} else {
		return false;
	}
	return true;
}

/* True: C ends the line. */
static bool end_line(struct tty *tty, char c, struct echo *echo)
{
	bool eof = is_char(tty, c, VEOF), newline = c == '\n';
	uint32_t flags = tty->termios.lflag;

	if (!eof && !newline && !is_char(tty, c, VEOL) && !(flags & IEXTEN && is_char(tty, c, VEOL2)))
		return false;
	if (!store(tty, eof ? '\0' : c, true))
		return true;
	tty->ready = tty->head;
	if (newline && flags & (ECHO | ECHONL))
		echo_put(echo, c);
	else if (!newline && !eof && flags & ECHO)
		echo_char(echo, c);
	return true;
}

/* ---- Receiving --------------------------------------------------------------------------------------------------- */

/* True: C was a signal for the foreground. */
static bool interrupt(struct tty *tty, char c, struct echo *echo)
{
	int signo;

	if (is_char(tty, c, VINTR))
		signo = SIGINT;
	else if (is_char(tty, c, VQUIT))
		signo = SIGQUIT;
	else if (is_char(tty, c, VSUSP))
		signo = SIGTSTP;
	else
		return false;
	if (!(tty->termios.lflag & NOFLSH))
		tty_flush_input(tty);
	if (tty->stopped)
		tty_stop(tty, false);
	if (tty->termios.lflag & ECHO)
		echo_char(echo, c);
	if (tty->pgrp)
		tty->ops->signal(tty->pgrp, signo);
	return true;
}

/* True: C stops or starts output. */
static bool flow(struct tty *tty, char c)
{
	if (is_char(tty, c, VSTART)) {
		tty_stop(tty, false);
		return true;
	}
	if (is_char(tty, c, VSTOP)) {
		tty_stop(tty, true);
		return true;
	}
	return false;
}

/* IS_RETURN: a line feed that was typed as the return key, which is shown as what it does. */
static void insert(struct tty *tty, char c, bool is_return, struct echo *echo)
{
	if (!store(tty, c, false))
		return;
	if (!(tty->termios.lflag & ICANON))
		tty->ready = tty->head;
	if (!(tty->termios.lflag & ECHO))
		return;
	if (is_return)
		echo_put(echo, c);
	else
		echo_char(echo, c);
}

static void receive(struct tty *tty, char c, struct echo *echo)
{
	uint32_t iflag = tty->termios.iflag, lflag = tty->termios.lflag;
	bool is_return;

	if (iflag & ISTRIP)
		c &= 0x7f;
	if (tty->literal) {
		tty->literal = false;
		insert(tty, c, false, echo);
		return;
	}
	if (tty->stopped && iflag & IXON && iflag & IXANY && !is_char(tty, c, VSTOP))
		tty_stop(tty, false);
	if (iflag & IXON && flow(tty, c))
		return;
	if (lflag & ISIG && interrupt(tty, c, echo))
		return;
	if (c == '\r' && iflag & IGNCR)
		return;
	is_return = c == '\r' && iflag & ICRNL;
	if (is_return)
		c = '\n';
	else if (c == '\n' && iflag & INLCR)
		c = '\r';
	if (lflag & ICANON) {
		if (edit(tty, c, echo) || end_line(tty, c, echo))
			return;
		if (lflag & IEXTEN && is_char(tty, c, VLNEXT)) {
			tty->literal = true;
			if (lflag & ECHO && lflag & ECHOCTL)
				echo_text(echo, "^\b");
			return;
		}
	}
	insert(tty, c, is_return, echo);
}

void tty_input(struct tty *tty, const char *bytes, size_t len)
{
	struct echo echo = { .tty = tty, .n = 0 };
	unsigned long irq = spin_lock_irqsave(&tty->lock);
	uint32_t before = tty->ready;
	bool more;

	if (tty->ring)
		while (len--)
			receive(tty, *bytes++, &echo);
	echo_flush(&echo);
	more = tty->ready != before;
	spin_unlock_irqrestore(&tty->lock, irq);
	if (!more)
		return;
	wait_wake(&tty->readers, UINT32_MAX);
	poll_notify(&tty->source, EV_IN | EV_RDNORM);
}
