/* The host's own line discipline, to compare with: a pseudo terminal whose master is what types and what shows. */
#ifndef TEST_UNIT_TTY_HOST_H
#define TEST_UNIT_TTY_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* False: the host has no pseudo terminals. */
bool tty_host_open(void);
void tty_host_close(void);
/* TERMIOS: the kernel's struct, 36 bytes (TCSETS; FLUSH: TCSETSF). */
void tty_host_set(const void *termios, bool flush);
void tty_host_get(void *termios);
/* Types, and waits a little for it to be taken in. */
void tty_host_type(const char *bytes, size_t len);
void tty_host_wait(void); /* about a millisecond */
/* What is shown since the last call. */
size_t tty_host_shown(char *buf, size_t size);
/* read(2) with O_NONBLOCK; negative: -errno. */
long tty_host_read(char *buf, size_t size);
long tty_host_write(const char *bytes, size_t len);
int tty_host_available(void); /* FIONREAD */

#endif
