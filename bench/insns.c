/*
 * Counts guest instructions from outside the guest. Preloaded into QEMU, it watches what the serial port writes to standard
 * output. DRUPE_MARK holds texts, one a line, which lines of the guest are expected to hold in this order; when such a line is
 * complete, one line goes to the file descriptor DRUPE_MARK_FD, which is closed after the last:
 *
 *	CLOCK_MONOTONIC in ns, guest instructions since reset (-1 when QEMU does not count), and the CPU time in ns of
 *	each of QEMU's threads, in the order of their ages
 *
 * icount_get_raw is QEMU's own counter (softmmu/icount.c), kept under -icount and exported by Debian's qemu-system-x86_64
 * 7.2. The write happens inside the guest's OUT instruction on the vCPU's thread, so the count is exact and repeats to the
 * digit, whatever else the host does.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

extern int64_t icount_get_raw(void) __attribute__((weak));

static ssize_t (*next_write)(int fd, const void *data, size_t len);
static ssize_t (*next_writev)(int fd, const struct iovec *parts, int n);
static char *mark, *later_marks;
static int mark_fd = -1;
static int counting;

__attribute__((constructor)) static void setup(void)
{
	const char *fd = getenv("DRUPE_MARK_FD");

	next_write = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
	next_writev = (ssize_t(*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
	later_marks = getenv("DRUPE_MARK");
	mark = later_marks ? strsep(&later_marks, "\n") : NULL;
	counting = getenv("DRUPE_ICOUNT") != NULL;
	if (mark && fd)
		mark_fd = atoi(fd);
}

/* What Linux says of each thread: nanoseconds on a CPU come first (Documentation/scheduler/sched-stats.rst). */
static void report_threads(void)
{
	DIR *threads = opendir("/proc/self/task");
	struct dirent *thread;

	while (threads && (thread = readdir(threads))) {
		char path[300], text[100] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/self/task/%s/schedstat", thread->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		if (read(fd, text, sizeof(text) - 1) > 0)
			dprintf(mark_fd, " %lld", strtoll(text, NULL, 10));
		close(fd);
	}
	if (threads)
		closedir(threads);
}

static void report(void)
{
	long long insns = counting && icount_get_raw ? (long long)icount_get_raw() : -1;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	dprintf(mark_fd, "%lld %lld", now.tv_sec * 1000000000ll + now.tv_nsec, insns);
	report_threads();
	dprintf(mark_fd, "\n");
	mark = strsep(&later_marks, "\n");
	if (mark)
		return;
	close(mark_fd);
	mark_fd = -1;
}

/* Collects the console's bytes into lines. A line longer than the buffer is cut. */
static void watch(const char *data, size_t len)
{
	static char line[4096];
	static size_t used;

	for (size_t i = 0; i < len && mark_fd >= 0; i++) {
		if (data[i] != '\n') {
			if (used < sizeof(line) - 1)
				line[used++] = data[i];
			continue;
		}
		line[used] = 0;
		used = 0;
		if (strstr(line, mark))
			report();
	}
}

ssize_t write(int fd, const void *data, size_t len)
{
	if (fd == STDOUT_FILENO)
		watch(data, len);
	return next_write(fd, data, len);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
	for (int i = 0; fd == STDOUT_FILENO && i < n; i++)
		watch(parts[i].iov_base, parts[i].iov_len);
	return next_writev(fd, parts, n);
}
