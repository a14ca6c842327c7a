/*
 * Sockets, as Linux's x86-64 ABI has them: include/uapi/linux/{socket,net,un}.h, include/linux/socket.h,
 * include/uapi/asm-generic/socket.h; socket(2), send(2), recv(2), cmsg(3), socket(7), unix(7).
 */
#ifndef KERNEL_NET_ABI_H
#define KERNEL_NET_ABI_H

#include <stdint.h>

#define AF_UNSPEC 0
#define AF_UNIX 1

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_SEQPACKET 5
#define SOCK_TYPE_MASK 0xf
#define SOCK_NONBLOCK 04000
#define SOCK_CLOEXEC 02000000

#define MSG_OOB 0x1
#define MSG_PEEK 0x2
#define MSG_CTRUNC 0x8
#define MSG_TRUNC 0x20
#define MSG_DONTWAIT 0x40
#define MSG_EOR 0x80
#define MSG_WAITALL 0x100
#define MSG_NOSIGNAL 0x4000
#define MSG_CMSG_CLOEXEC 0x40000000

#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2

#define SOL_SOCKET 1
#define SO_TYPE 3
#define SO_ERROR 4
#define SO_SNDBUF 7
#define SO_RCVBUF 8
#define SO_PEERCRED 17
#define SO_ACCEPTCONN 30
#define SO_PROTOCOL 38
#define SO_DOMAIN 39

#define SCM_RIGHTS 1
#define SCM_MAX_FD 253

struct linux_msghdr {
	uint64_t name;
	uint32_t namelen, pad;
	uint64_t iov, iovlen;
	uint64_t control, controllen;
	uint32_t flags, pad2;
};
_Static_assert(sizeof(struct linux_msghdr) == 56, "sendmsg(2)");

/* len: with this header. What follows each is aligned to 8 bytes (CMSG_ALIGN). */
struct linux_cmsghdr {
	uint64_t len;
	int32_t level, type;
};
_Static_assert(sizeof(struct linux_cmsghdr) == 16, "cmsg(3)");

struct linux_ucred {
	int32_t pid;
	uint32_t uid, gid;
};

#endif
