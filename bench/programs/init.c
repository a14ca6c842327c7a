/*
 * The first program of the Linux guest: mounts what a program expects, runs the one that its own arguments name, and ends the
 * machine with that program's status as Drupe does (abi/exit.h), so that one harness reads both.
 *
 *	console=ttyS0 reboot=t -- /bin/program argument...
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_PORT 0xf4
#define STATUS_NOT_RUN 126

static const struct {
	const char *type, *where;
} mounts[] = { { "devtmpfs", "/dev" }, { "proc", "/proc" }, { "sysfs", "/sys" }, { "tmpfs", "/tmp" } };

static int run(char **argv)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		printf("init: starts %s\n", argv[0]);
		fflush(stdout);
		execv(argv[0], argv);
		perror(argv[0]);
		_exit(STATUS_NOT_RUN);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return STATUS_NOT_RUN;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	int status = STATUS_NOT_RUN;

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL))
			perror(mounts[i].where);
	}
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if (argc > 1)
		status = run(argv + 1);
	if (status && !ioperm(EXIT_PORT, 4, 1))
		outl((unsigned)status & 0x7f, EXIT_PORT);
	reboot(RB_AUTOBOOT);
	return 1;
}
