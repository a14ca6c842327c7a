/* The console as a terminal: /dev/console, /dev/tty, and what a program starts with as descriptors 0, 1 and 2. */
#ifndef KERNEL_LINUX_TTY_CONSOLE_H
#define KERNEL_LINUX_TTY_CONSOLE_H

struct file;

/* At boot, once, before anything opens it: sets nothing up but memory. */
void tty_console_init(void);
/* A new open file of it, FLAGS as open(2): O_RDWR. 0, -ENOMEM. */
int tty_console_open(unsigned flags, struct file **out);

#endif
