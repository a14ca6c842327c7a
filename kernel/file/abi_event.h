/*
 * Waiting for files, as Linux's x86-64 ABI has it: poll, epoll, eventfd, inotify. From include/uapi/asm-generic/poll.h and
 * include/uapi/linux/{eventpoll,eventfd,inotify}.h; see poll(2), epoll(7), eventfd(2), inotify(7).
 */
#ifndef KERNEL_FILE_ABI_EVENT_H
#define KERNEL_FILE_ABI_EVENT_H

#include <stdint.h>

/* poll(2). The first six and POLLRDHUP are epoll's too; of select(2): 1 is readable, 4 writable, 2 exceptional. */
#define POLLIN 0x0001
#define POLLPRI 0x0002
#define POLLOUT 0x0004
#define POLLERR 0x0008
#define POLLHUP 0x0010
#define POLLNVAL 0x0020
#define POLLRDNORM 0x0040
#define POLLRDBAND 0x0080
#define POLLWRNORM 0x0100
#define POLLWRBAND 0x0200
#define POLLMSG 0x0400
#define POLLRDHUP 0x2000

struct linux_pollfd {
	int32_t fd;
	int16_t events, revents;
};
_Static_assert(sizeof(struct linux_pollfd) == 8, "poll(2)");

/* epoll_ctl(2) */
#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define EPOLLIN 0x00000001U
#define EPOLLPRI 0x00000002U
#define EPOLLOUT 0x00000004U
#define EPOLLERR 0x00000008U
#define EPOLLHUP 0x00000010U
#define EPOLLRDNORM 0x00000040U
#define EPOLLRDBAND 0x00000080U
#define EPOLLWRNORM 0x00000100U
#define EPOLLWRBAND 0x00000200U
#define EPOLLMSG 0x00000400U
#define EPOLLRDHUP 0x00002000U
#define EPOLLEXCLUSIVE (1U << 28)
#define EPOLLWAKEUP (1U << 29)
#define EPOLLONESHOT (1U << 30)
#define EPOLLET (1U << 31)
#define EPOLL_CLOEXEC 02000000

struct linux_epoll_event {
	uint32_t events;
	uint64_t data;
} __attribute__((packed));
_Static_assert(sizeof(struct linux_epoll_event) == 12, "epoll_ctl(2); packed on x86-64 only");

/* eventfd(2) */
#define EFD_SEMAPHORE 1
#define EFD_CLOEXEC 02000000
#define EFD_NONBLOCK 04000

/* inotify(7) */
#define IN_ACCESS 0x00000001
#define IN_MODIFY 0x00000002
#define IN_ATTRIB 0x00000004
#define IN_CLOSE_WRITE 0x00000008
#define IN_CLOSE_NOWRITE 0x00000010
#define IN_OPEN 0x00000020
#define IN_MOVED_FROM 0x00000040
#define IN_MOVED_TO 0x00000080
#define IN_CREATE 0x00000100
#define IN_DELETE 0x00000200
#define IN_DELETE_SELF 0x00000400
#define IN_MOVE_SELF 0x00000800
#define IN_ALL_EVENTS 0x00000fff
#define IN_UNMOUNT 0x00002000
#define IN_Q_OVERFLOW 0x00004000
#define IN_IGNORED 0x00008000
#define IN_ONLYDIR 0x01000000
#define IN_DONT_FOLLOW 0x02000000
#define IN_EXCL_UNLINK 0x04000000
#define IN_MASK_CREATE 0x10000000
#define IN_MASK_ADD 0x20000000
#define IN_ISDIR 0x40000000
#define IN_ONESHOT 0x80000000
#define IN_CLOEXEC 02000000
#define IN_NONBLOCK 04000

struct linux_inotify_event {
	int32_t wd;
	uint32_t mask, cookie;
	uint32_t len; /* of name, with its NULs up to the next event */
	char name[];
};
_Static_assert(sizeof(struct linux_inotify_event) == 16, "inotify(7)");

#endif
