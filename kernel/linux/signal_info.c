/*
 * siginfo_t as applications have it, and what the kernel keeps of it. Which members of its union are there follows
 * from signal and code (sigaction(2), "The siginfo_t argument to a SA_SIGINFO handler").
 */
#include "kernel/linux/signal.h"
#include "lib/string.h"
#include "lib/util.h"

enum layout { LAYOUT_SENDER, LAYOUT_TIMER, LAYOUT_FAULT, LAYOUT_CHILD, LAYOUT_POLL, LAYOUT_SYS };

static enum layout layout_of(int signo, int code)
{
	if (code == SI_TIMER)
		return LAYOUT_TIMER;
	if (code == SI_SIGIO)
		return LAYOUT_POLL;
	if (code <= SI_USER || code >= SI_KERNEL)
		return LAYOUT_SENDER;
	switch (signo) {
	case SIGILL:
	case SIGFPE:
	case SIGSEGV:
	case SIGBUS:
	case SIGTRAP:
		return LAYOUT_FAULT;
	case SIGCHLD:
		return LAYOUT_CHILD;
	case SIGSYS:
		return LAYOUT_SYS;
	default: /* SIGIO, or another one chosen with F_SETSIG */
		return LAYOUT_POLL;
	}
}

void signal_info_encode(const struct signal_info *info, struct linux_siginfo *out)
{
	memset(out, 0, sizeof(*out));
	out->signo = info->signo;
	out->error = info->error;
	out->code = info->code;
	switch (layout_of(info->signo, info->code)) {
	case LAYOUT_SENDER:
		out->sender.pid = info->pid;
		out->sender.uid = info->uid;
		out->sender.value = info->value;
		break;
	case LAYOUT_TIMER:
		out->timer.id = info->timer_id;
		out->timer.overrun = info->overrun;
		out->timer.value = info->value;
		break;
	case LAYOUT_FAULT:
		out->fault.addr = info->address;
		break;
	case LAYOUT_CHILD:
		out->child.pid = info->pid;
		out->child.uid = info->uid;
		out->child.status = (int32_t)info->value;
		break;
	case LAYOUT_POLL:
		out->poll.band = info->band;
		out->poll.fd = info->band_fd;
		break;
	case LAYOUT_SYS:
		out->sys.call_addr = info->address;
		out->sys.syscall = (int32_t)info->value;
		out->sys.arch = 0xc000003e; /* AUDIT_ARCH_X86_64 */
		break;
	}
}

void signal_info_decode(const struct linux_siginfo *in, struct signal_info *out)
{
	*out = (struct signal_info){ .signo = in->signo, .error = in->error, .code = in->code };
	switch (layout_of(in->signo, in->code)) {
	case LAYOUT_TIMER:
		out->timer_id = in->timer.id;
		out->overrun = in->timer.overrun;
		out->value = in->timer.value;
		break;
	case LAYOUT_POLL:
		out->band = in->poll.band;
		out->band_fd = in->poll.fd;
		break;
	default:
		out->pid = in->sender.pid;
		out->uid = in->sender.uid;
		out->value = in->sender.value;
		break;
	}
}

const char *signal_name(unsigned signo)
{
	static const char names[][10] = {
		"",	     "SIGHUP",	"SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
		"SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
		"SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
		"SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS",
	};

	return signo < ARRAY_SIZE(names) ? names[signo] : "SIGRT";
}
