/* Processes. There is one: what would make a second says so. */
#include "kernel/core/log.h"
#include "kernel/linux/abi_process.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/task.h"
#include "lib/errno.h"

long sys_exit_group(int status)
{
	process_exit((status & 0xff) << 8);
}

static long second_process(const char *call)
{
	log_write(LOG_NOTICE, "%s: a second process is not there yet", call);
	return -ENOSYS;
}

long sys_fork(void)
{
	return second_process("fork");
}

long sys_vfork(void)
{
	return second_process("vfork");
}

long sys_execve(const char *path, char *const *argv, char *const *envp)
{
	(void)path, (void)argv, (void)envp;
	return second_process("execve");
}

long sys_execveat(int dfd, const char *path, char *const *argv, char *const *envp, int flags)
{
	(void)dfd, (void)path, (void)argv, (void)envp, (void)flags;
	return second_process("execveat");
}
