/* Error numbers, with Linux's values for x86-64 (include/uapi/asm-generic/errno-base.h and errno.h). */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

#define EPERM 1
#define ENOENT 2
#define EINTR 4
#define EIO 5
#define ENXIO 6
#define E2BIG 7
#define EBADF 9
#define EAGAIN 11
#define ENOMEM 12
#define EFAULT 14
#define EBUSY 16
#define EEXIST 17
#define ENODEV 19
#define EINVAL 22
#define ENOSPC 28
#define EDOM 33
#define ERANGE 34
#define EDEADLK 35
#define ENAMETOOLONG 36
#define ENOSYS 38
#define EOVERFLOW 75
#define EILSEQ 84
#define EOPNOTSUPP 95
#define ETIMEDOUT 110

/*
 * Inside of the kernel only: a system call that a signal ended. What the application sees is -EINTR or the call made again
 * (signal(7), "Interruption of system calls"); kernel/linux/signal.c decides.
 */
#define ERESTARTSYS 512

#endif
