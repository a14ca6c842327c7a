/*
 * What test_abi.c compares: constants and layouts as kernel/linux/abi.h has them (abi_ours.c) and as the build machine's Linux
 * headers and its C library's have them (abi_linux.c, abi_libc.c). Separate files, because the names are the same.
 */
#ifndef TEST_UNIT_ABI_H
#define TEST_UNIT_ABI_H

#include <stddef.h>
#include <stdint.h>

struct abi_constant {
	const char *name; /* NULL ends a list */
	int64_t value;
};
extern const struct abi_constant abi_ours[], abi_linux[], abi_libc[];

struct abi_member {
	const char *name;
	size_t offset, size;
};
extern const struct abi_member abi_ours_members[], abi_linux_members[];

#define MEMBER(type, member)                                                                                           \
	{                                                                                                              \
#type "." #member, offsetof(type, member), sizeof(((type *)0)->member)                                 \
	}

/* X(our struct, our member, Linux's struct, Linux's member) */
#define STAT(X, ours, theirs) X(struct linux_stat, ours, struct stat, theirs)
#define STATX(X, ours, theirs) X(struct linux_statx, ours, struct statx, theirs)
#define STATFS(X, ours, theirs) X(struct linux_statfs, ours, struct statfs, theirs)
#define TIMEX(X, name) X(struct linux_timex, name, struct __kernel_timex, name)
#define USAGE(X, name) X(struct linux_rusage, name, struct rusage, ru_##name)
#define SYSINFO(X, name) X(struct linux_sysinfo, name, struct sysinfo, name)
#define INFO(X, ours, theirs) X(struct linux_siginfo, ours, struct siginfo, theirs)
#define CONTEXT(X, ours, theirs) X(struct linux_sigcontext, ours, struct sigcontext, theirs)
#define SIGNALFD(X, ours, theirs) X(struct linux_signalfd_siginfo, ours, struct signalfd_siginfo, ssi_##theirs)
#define CLONE(X, name) X(struct linux_clone_args, name, struct clone_args, name)
#define SCHED(X, name) X(struct linux_sched_attr, name, struct sched_attr, sched_##name)
#define TERMIOS(X, name) X(struct linux_termios, name, struct termios, c_##name)

#define ABI_MEMBERS_FILE(X)                                                                                            \
	STAT(X, dev, st_dev), STAT(X, ino, st_ino), STAT(X, nlink, st_nlink), STAT(X, mode, st_mode),                  \
		STAT(X, uid, st_uid), STAT(X, gid, st_gid), STAT(X, rdev, st_rdev), STAT(X, size, st_size),            \
		STAT(X, blksize, st_blksize), STAT(X, blocks, st_blocks), STAT(X, atime.sec, st_atime),                \
		STAT(X, atime.nsec, st_atime_nsec), STAT(X, mtime.sec, st_mtime), STAT(X, ctime.nsec, st_ctime_nsec),  \
		STATX(X, mask, stx_mask), STATX(X, blksize, stx_blksize), STATX(X, attributes, stx_attributes),        \
		STATX(X, nlink, stx_nlink), STATX(X, uid, stx_uid), STATX(X, gid, stx_gid), STATX(X, mode, stx_mode),  \
		STATX(X, ino, stx_ino), STATX(X, size, stx_size), STATX(X, blocks, stx_blocks),                        \
		STATX(X, attributes_mask, stx_attributes_mask), STATX(X, atime.sec, stx_atime.tv_sec),                 \
		STATX(X, btime.nsec, stx_btime.tv_nsec), STATX(X, ctime, stx_ctime), STATX(X, mtime, stx_mtime),       \
		STATX(X, rdev_major, stx_rdev_major), STATX(X, dev_minor, stx_dev_minor),                              \
		STATX(X, mnt_id, stx_mnt_id), STATX(X, dio_mem_align, stx_dio_mem_align), STATFS(X, type, f_type),     \
		STATFS(X, bsize, f_bsize), STATFS(X, blocks, f_blocks), STATFS(X, bfree, f_bfree),                     \
		STATFS(X, bavail, f_bavail), STATFS(X, files, f_files), STATFS(X, ffree, f_ffree),                     \
		STATFS(X, fsid, f_fsid), STATFS(X, namelen, f_namelen), STATFS(X, frsize, f_frsize),                   \
		STATFS(X, flags, f_flags), X(struct linux_flock, type, struct flock, l_type),                          \
		X(struct linux_flock, start, struct flock, l_start), X(struct linux_flock, len, struct flock, l_len),  \
		X(struct linux_flock, pid, struct flock, l_pid),                                                       \
		X(struct linux_open_how, resolve, struct open_how, resolve),                                           \
		X(struct linux_pollfd, revents, struct pollfd, revents),                                               \
		X(struct linux_epoll_event, data, struct epoll_event, data),                                           \
		X(struct linux_inotify_event, len, struct inotify_event, len), TERMIOS(X, iflag), TERMIOS(X, lflag),   \
		TERMIOS(X, line), TERMIOS(X, cc), X(struct linux_winsize, y_pixels, struct winsize, ws_ypixel)

#define ABI_MEMBERS_SYSTEM(X)                                                                                          \
	TIMEX(X, modes), TIMEX(X, offset), TIMEX(X, esterror), TIMEX(X, status), TIMEX(X, constant), TIMEX(X, time),   \
		TIMEX(X, tick), TIMEX(X, shift), TIMEX(X, stabil), TIMEX(X, stbcnt), TIMEX(X, tai), USAGE(X, utime),   \
		USAGE(X, stime), USAGE(X, maxrss), USAGE(X, minflt), USAGE(X, inblock), USAGE(X, nivcsw),              \
		SYSINFO(X, uptime), SYSINFO(X, loads), SYSINFO(X, totalram), SYSINFO(X, freeswap), SYSINFO(X, procs),  \
		SYSINFO(X, totalhigh), SYSINFO(X, mem_unit), CLONE(X, flags), CLONE(X, child_tid),                     \
		CLONE(X, parent_tid), CLONE(X, exit_signal), CLONE(X, stack), CLONE(X, stack_size), CLONE(X, tls),     \
		CLONE(X, set_tid), CLONE(X, cgroup), SCHED(X, policy), SCHED(X, flags), SCHED(X, nice),                \
		SCHED(X, priority), SCHED(X, runtime), SCHED(X, util_max),                                             \
		X(struct linux_rseq, cpu_id, struct rseq, cpu_id), X(struct linux_rseq, flags, struct rseq, flags),    \
		X(struct linux_rseq_cs, abort_ip, struct rseq_cs, abort_ip),                                           \
		X(struct linux_robust_list_head, pending, struct robust_list_head, list_op_pending),                   \
		X(struct linux_futex_waitv, flags, struct futex_waitv, flags)

#define ABI_MEMBERS_SIGNAL(X)                                                                                          \
	INFO(X, error, si_errno), INFO(X, code, si_code), INFO(X, sender.pid, si_pid), INFO(X, sender.uid, si_uid),    \
		INFO(X, sender.value, si_value), INFO(X, timer.id, si_tid), INFO(X, timer.overrun, si_overrun),        \
		INFO(X, timer.value, si_value), INFO(X, timer.private, si_sys_private),                                \
		INFO(X, child.status, si_status), INFO(X, child.utime, si_utime), INFO(X, child.stime, si_stime),      \
		INFO(X, fault.addr, si_addr), INFO(X, fault.addr_lsb, si_addr_lsb), INFO(X, fault.lower, si_lower),    \
		INFO(X, fault.upper, si_upper), INFO(X, poll.band, si_band), INFO(X, poll.fd, si_fd),                  \
		INFO(X, sys.call_addr, si_call_addr), INFO(X, sys.syscall, si_syscall), INFO(X, sys.arch, si_arch),    \
		CONTEXT(X, r8, r8), CONTEXT(X, r15, r15), CONTEXT(X, di, rdi), CONTEXT(X, si, rsi),                    \
		CONTEXT(X, bp, rbp), CONTEXT(X, bx, rbx), CONTEXT(X, dx, rdx), CONTEXT(X, ax, rax),                    \
		CONTEXT(X, cx, rcx), CONTEXT(X, sp, rsp), CONTEXT(X, ip, rip), CONTEXT(X, flags, eflags),              \
		CONTEXT(X, cs, cs), CONTEXT(X, gs, gs), CONTEXT(X, fs, fs), CONTEXT(X, ss, ss),                        \
		CONTEXT(X, error, err), CONTEXT(X, trapno, trapno), CONTEXT(X, cr2, cr2),                              \
		CONTEXT(X, fpstate, fpstate), X(struct linux_ucontext, stack, struct ucontext, uc_stack),              \
		X(struct linux_ucontext, context, struct ucontext, uc_mcontext),                                       \
		X(struct linux_ucontext, mask, struct ucontext, uc_sigmask),                                           \
		X(struct linux_fp_sw_bytes, xstate_size, struct _fpx_sw_bytes, xstate_size),                           \
		X(struct linux_sigaction, mask, struct sigaction, sa_mask),                                            \
		X(struct linux_sigaction, restorer, struct sigaction, sa_restorer),                                    \
		X(struct linux_stack, size, stack_t, ss_size),                                                         \
		X(struct linux_sigevent, notify, struct sigevent, sigev_notify),                                       \
		X(struct linux_sigevent, tid, struct sigevent, _sigev_un._tid), SIGNALFD(X, signo, signo),             \
		SIGNALFD(X, error, errno), SIGNALFD(X, uid, uid), SIGNALFD(X, fd, fd), SIGNALFD(X, tid, tid),          \
		SIGNALFD(X, overrun, overrun), SIGNALFD(X, status, status), SIGNALFD(X, value_int, int),               \
		SIGNALFD(X, value_ptr, ptr), SIGNALFD(X, addr, addr), SIGNALFD(X, syscall, syscall),                   \
		SIGNALFD(X, call_addr, call_addr), SIGNALFD(X, arch, arch)

#define ABI_MEMBERS(X) ABI_MEMBERS_FILE(X), ABI_MEMBERS_SYSTEM(X), ABI_MEMBERS_SIGNAL(X)

#endif
