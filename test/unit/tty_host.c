/* See tty_host.h. */
#include "test/unit/tty_host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int master = -1, slave = -1;

bool tty_host_open(void)
{
	master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (master < 0 || grantpt(master) || unlockpt(master))
		return false;
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK);
	return slave >= 0;
}

void tty_host_close(void)
{
	close(slave);
	close(master);
}

void tty_host_set(const void *termios, bool flush)
{
	syscall(SYS_ioctl, slave, flush ? TCSETSF : TCSETS, termios);
}

void tty_host_get(void *termios)
{
	syscall(SYS_ioctl, slave, TCGETS, termios);
}

/* The kernel takes it in by a worker thread. */
void tty_host_wait(void)
{
	usleep(1500);
}

void tty_host_type(const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(master, bytes, len);

		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
		tty_host_wait();
	}
}

size_t tty_host_shown(char *buf, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size && (n = read(master, buf + done, size - done)) > 0)
		done += (size_t)n;
	return done;
}

long tty_host_read(char *buf, size_t size)
{
	ssize_t n = read(slave, buf, size);

	return n < 0 ? -errno : n;
}

long tty_host_write(const char *bytes, size_t len)
{
	ssize_t n = write(slave, bytes, len);

	tty_host_wait();
	return n < 0 ? -errno : n;
}

int tty_host_available(void)
{
	int n = -1;

	ioctl(slave, FIONREAD, &n);
	return n;
}
