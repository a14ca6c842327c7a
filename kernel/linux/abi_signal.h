/*
 * Signals, as Linux's x86-64 ABI has them: arch/x86/include/uapi/asm/{signal,sigcontext,ucontext}.h and
 * include/uapi/asm-generic/{signal,siginfo}.h, linux/signalfd.h; signal(7), sigaction(2), sigaltstack(2), signalfd(2).
 */
#ifndef KERNEL_LINUX_ABI_SIGNAL_H
#define KERNEL_LINUX_ABI_SIGNAL_H

#include <stddef.h>
#include <stdint.h>

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSEGV 11
#define SIGUSR2 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGSTKFLT 16
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGXCPU 24
#define SIGXFSZ 25
#define SIGVTALRM 26
#define SIGPROF 27
#define SIGWINCH 28
#define SIGIO 29
#define SIGPWR 30
#define SIGSYS 31
#define SIGNAL_RT_MIN 32 /* the C library keeps the first two or three for itself */
#define SIGNAL_MAX 64
/* A set of signals: 64 bits, signal NR is bit NR - 1. Each call is told its size, which must be this. */
#define SIGSET_SIZE 8
#define SIGNAL_BIT(nr) (1ul << ((nr)-1))

#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

/* handler of struct linux_sigaction */
#define SIG_DFL 0ul
#define SIG_IGN 1ul

#define SA_NOCLDSTOP 1
#define SA_NOCLDWAIT 2
#define SA_SIGINFO 4
#define SA_UNSUPPORTED 0x00000400
#define SA_EXPOSE_TAGBITS 0x00000800
#define SA_RESTORER 0x04000000
#define SA_ONSTACK 0x08000000
#define SA_RESTART 0x10000000
#define SA_NODEFER 0x40000000
#define SA_RESETHAND 0x80000000

/* The kernel's, which is not the C library's. */
struct linux_sigaction {
	uint64_t handler, flags, restorer, mask;
};
_Static_assert(sizeof(struct linux_sigaction) == 32, "sigaction(2), C library/kernel differences");

#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM (1U << 31)
#define MINSIGSTKSZ 2048

struct linux_stack {
	uint64_t sp;
	int32_t flags;
	uint64_t size;
};
_Static_assert(sizeof(struct linux_stack) == 24, "sigaltstack(2)");

/* pselect6's last argument */
struct linux_sigset_arg {
	const uint64_t *set;
	size_t size;
};

/* code of struct linux_siginfo: who sent it, or what happened. Positive: the kernel. */
#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE -1
#define SI_TIMER -2
#define SI_MESGQ -3
#define SI_ASYNCIO -4
#define SI_SIGIO -5
#define SI_TKILL -6
#define ILL_ILLOPC 1
#define ILL_ILLOPN 2
#define ILL_ILLADR 3
#define ILL_ILLTRP 4
#define ILL_PRVOPC 5
#define ILL_PRVREG 6
#define ILL_COPROC 7
#define ILL_BADSTK 8
#define FPE_INTDIV 1
#define FPE_INTOVF 2
#define FPE_FLTDIV 3
#define FPE_FLTOVF 4
#define FPE_FLTUND 5
#define FPE_FLTRES 6
#define FPE_FLTINV 7
#define FPE_FLTSUB 8
#define FPE_FLTUNK 14
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define SEGV_BNDERR 3
#define SEGV_PKUERR 4
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define BUS_OBJERR 3
#define TRAP_BRKPT 1
#define TRAP_TRACE 2
#define TRAP_BRANCH 3
#define TRAP_HWBKPT 4
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3
#define CLD_TRAPPED 4
#define CLD_STOPPED 5
#define CLD_CONTINUED 6
#define POLL_IN 1
#define POLL_OUT 2
#define POLL_MSG 3
#define POLL_ERR 4
#define POLL_PRI 5
#define POLL_HUP 6

struct linux_siginfo {
	int32_t signo, error, code, pad;
	union {
		struct {
			int32_t pid;
			uint32_t uid;
			uint64_t value; /* of rt_sigqueueinfo, mq_notify */
		} sender;
		struct {
			int32_t id, overrun;
			uint64_t value;
			int32_t private;
		} timer;
		struct {
			int32_t pid;
			uint32_t uid;
			int32_t status;
			int64_t utime, stime; /* ticks of USER_HZ */
		} child;
		struct {
			uint64_t addr;
			int16_t addr_lsb;      /* BUS_MCEERR_ */
			uint64_t lower, upper; /* SEGV_BNDERR; SEGV_PKUERR has its key in lower */
		} fault;
		struct {
			int64_t band;
			int32_t fd;
		} poll;
		struct {
			uint64_t call_addr;
			int32_t syscall;
			uint32_t arch;
		} sys;
		uint8_t all[112];
	};
};
_Static_assert(sizeof(struct linux_siginfo) == 128, "sigaction(2), siginfo_t");

#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD 2
#define SIGEV_THREAD_ID 4

/* timer_create(2), mq_notify(3) */
struct linux_sigevent {
	uint64_t value;
	int32_t signo, notify;
	int32_t tid; /* SIGEV_THREAD_ID */
	int32_t pad[11];
};
_Static_assert(sizeof(struct linux_sigevent) == 64, "sigevent(7)");

#define SFD_CLOEXEC 02000000
#define SFD_NONBLOCK 04000

struct linux_signalfd_siginfo {
	uint32_t signo;
	int32_t error, code;
	uint32_t pid, uid;
	int32_t fd;
	uint32_t tid, band, overrun, trapno;
	int32_t status, value_int;
	uint64_t value_ptr, utime, stime, addr;
	uint16_t addr_lsb, pad2;
	int32_t syscall;
	uint64_t call_addr;
	uint32_t arch;
	uint8_t pad[28];
};
_Static_assert(sizeof(struct linux_signalfd_siginfo) == 128, "signalfd(2)");

/* What a handler finds above its return address: first this, then struct linux_siginfo. */
struct linux_sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t di, si, bp, bx, dx, ax, cx, sp, ip, flags;
	uint16_t cs, gs, fs, ss;
	uint64_t error, trapno, oldmask, cr2;
	uint64_t fpstate; /* address of the FXSAVE or XSAVE area, 64-byte aligned, or 0 */
	uint64_t reserved[8];
};
_Static_assert(sizeof(struct linux_sigcontext) == 256, "asm/sigcontext.h");

#define UC_FP_XSTATE 1
#define UC_SIGCONTEXT_SS 2
#define UC_STRICT_RESTORE_SS 4

struct linux_ucontext {
	uint64_t flags, link;
	struct linux_stack stack;
	struct linux_sigcontext context;
	uint64_t mask;
};
_Static_assert(sizeof(struct linux_ucontext) == 304, "asm/ucontext.h");

/* Bytes 464 to 511 of the FXSAVE area, which the CPU leaves alone, say what else is there. FP_XSTATE_MAGIC2 ends it. */
#define FP_XSTATE_MAGIC1 0x46505853U
#define FP_XSTATE_MAGIC2 0x46505845U
#define FP_SW_BYTES_OFFSET 464

struct linux_fp_sw_bytes {
	uint32_t magic1;
	uint32_t extended_size; /* of all of it, magic2 included */
	uint64_t xfeatures;
	uint32_t xstate_size;
	uint32_t padding[7];
};
_Static_assert(sizeof(struct linux_fp_sw_bytes) == 48, "asm/sigcontext.h, struct _fpx_sw_bytes");

#endif
