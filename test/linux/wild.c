/* Each system call with bad pointers in every argument answers an error, or does what it can; the process never crashes. */
#include "test/linux/util.h"

/* Not these: they end or stop the process, make another, wait for what never comes, or would change the machine. */
static const short left_out[] = {
	SYS_exit,
	SYS_exit_group,
	SYS_fork,
	SYS_vfork,
	SYS_clone,
	SYS_clone3,
	SYS_execve,
	SYS_execveat,
	SYS_pause,
	SYS_rt_sigreturn,
	SYS_rt_sigsuspend,
	SYS_reboot,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_vhangup,
	SYS_ptrace,
	SYS_munmap,
	SYS_brk,
	SYS_close_range,
	SYS_select,
	SYS_poll,
	SYS_ppoll,
	SYS_pselect6,
	SYS_nanosleep,
	SYS_sched_setattr,
	SYS_sync,
	SYS_syslog,
	SYS_arch_prctl,
	SYS_rseq,
	SYS_set_robust_list,
	SYS_setsid,
	SYS_umask,
	SYS_iopl,
	SYS_ioperm,
	SYS_personality,
	SYS_unshare,
	SYS_setns,
	SYS_seccomp,
	SYS_prctl,
	SYS_mlockall,
	SYS_io_uring_setup,
	SYS_perf_event_open,
	SYS_bpf,
	SYS_userfaultfd,
	SYS_fanotify_init,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_adjtimex,
	SYS_clock_adjtime,
	SYS_setrlimit,
	SYS_kill,
	SYS_tkill,
	SYS_tgkill,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_setuid,
	SYS_setgid,
	SYS_setreuid,
	SYS_setregid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setfsuid,
	SYS_setfsgid,
	SYS_setgroups,
	SYS_alarm,
	SYS_restart_syscall,
	SYS_rt_sigtimedwait,
	SYS_wait4,
	SYS_waitid,
	SYS_shmget,
	SYS_msgget,
	SYS_semget,
	SYS_futex,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_quotactl,
	SYS_rt_sigprocmask,
	SYS_rt_sigaction,
	SYS_sigaltstack,
	SYS_set_tid_address,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_setpgid,
	SYS_setpriority,
	SYS_ioprio_set,
	SYS_fsync,
	SYS_fdatasync,
	SYS_syncfs,
	SYS_chroot,
	SYS_sched_setparam,
	SYS_sched_setscheduler,
	SYS_membarrier,
	SYS_mprotect,
	SYS_pkey_mprotect,
	SYS_mmap,
	SYS_mremap,
	SYS_remap_file_pages,
	SYS_madvise,
	SYS_capset,
};

static bool is_left_out(long nr)
{
	size_t i;

	for (i = 0; i < COUNT(left_out); i++)
		if (left_out[i] == nr)
			return true;
	/* Nothing has these numbers; from 424 on are newer calls, of which some change the machine. */
	return nr > SYS_rseq;
}

int main(void)
{
	static void *const pointers[] = { UNMAPPED, KERNEL_HALF, (void *)0x8000000000000000, (void *)-1L };
	int pipe_fd[2], dir, nr;
	size_t i;

	use_folder();
	DOES(pipe2(pipe_fd, O_NONBLOCK));
	dir = DOES(open(".", O_RDONLY | O_DIRECTORY));
	for (nr = 0; nr <= SYS_rseq; nr++) {
		if (is_left_out(nr))
			continue;
		for (i = 0; i < COUNT(pointers); i++) {
			void *p = pointers[i];

			/* All pointers; then with a descriptor in front, and with a length behind. */
			syscall(nr, p, p, p, p, p, p);
			if (nr == SYS_close || nr == SYS_dup2 || nr == SYS_dup3 || nr == SYS_fcntl)
				continue;
			syscall(nr, pipe_fd[0], p, 8L, p, 8L, p);
			syscall(nr, pipe_fd[1], p, p, p, p, p);
			syscall(nr, dir, p, 8L, p, 8L, p);
			syscall(nr, AT_FDCWD, p, p, p, p, p);
		}
		CHECK_AS(1, "call %d survives", nr);
	}
	return tap_done();
}
