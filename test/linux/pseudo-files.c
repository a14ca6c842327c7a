/* Files that functions make: how /proc, /sys and /dev behave as directories, links and files; what proc.c does not look at. */
#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <termios.h>

#include "test/linux/util.h"

static char text[1 << 16];

static long slurp_fd(int fd)
{
	long len = 0, got;

	while ((got = read(fd, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += got;
	text[len] = '\0';
	return got < 0 ? -1 : len;
}

static long slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	long len = fd < 0 ? -1 : slurp_fd(fd);

	close(fd);
	return len;
}

/* Whether the directory PATH lists NAME, each entry once, all of which lstat finds with the same number. */
static bool lists(const char *path, const char *name)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool found = false, same = true;
	struct stat s;

	while (dir && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, name)) {
			same = same && !found;
			found = true;
			same = same && fstatat(dirfd(dir), name, &s, AT_SYMLINK_NOFOLLOW) == 0 &&
			       s.st_ino == entry->d_ino;
		}
	}
	if (dir)
		closedir(dir);
	return found && same;
}

static int count(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n - 2;
}

static void test_descriptors(void)
{
	int fd = make_file("file", "content"), pipes[2], again, before = count("/proc/self/fd");
	char path[64], link[256] = "";
	struct stat s, t;

	TOPIC("fd");
	EQUAL(pipe(pipes), 0);
	EQUAL(count("/proc/self/fd"), before + 2);
	EQUAL(count("/proc/self/fdinfo"), before + 2);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipes[0]);
	CHECK(readlink(path, link, sizeof(link) - 1) > 0 && !strncmp(link, "pipe:[", 6));
	EQUAL(fstat(pipes[0], &s), 0);
	EQUAL(stat(path, &t), 0);
	CHECK(s.st_ino == t.st_ino && S_ISFIFO(t.st_mode) && (ino_t)atol(link + 6) == s.st_ino);
	EQUAL(lstat(path, &t), 0);
	EQUAL(t.st_mode, S_IFLNK | 0500);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipes[1]);
	EQUAL(lstat(path, &t), 0);
	EQUAL(t.st_mode, S_IFLNK | 0300);
	again = DOES(open(path, O_WRONLY));
	EQUAL(write(again, "xyz", 3), 3);
	EQUAL(read(pipes[0], link, 10), 3);
	close(again), close(pipes[0]), close(pipes[1]);
	FAILS(open(path, O_RDONLY), ENOENT);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EQUAL(lseek(fd, 3, SEEK_SET), 3);
	again = DOES(open(path, O_RDWR));
	EQUAL(read(again, link, 10), 7); /* a file of its own: from the beginning */
	close(again);
	EQUAL(unlink("file"), 0);
	memset(link, 0, sizeof(link));
	CHECK(readlink(path, link, sizeof(link) - 1) > 0 && strstr(link, "/file (deleted)"));
	again = DOES(open(path, O_RDWR)); /* nameless, but there */
	EQUAL(read(again, link, 10), 7);
	FAILS(open("/proc/self/fd/x", O_RDONLY), ENOENT);
	FAILS(open("/proc/self/fd/01", O_RDONLY), ENOENT);
	FAILS(open("/proc/self/fd/new", O_RDWR | O_CREAT, 0600), ENOENT);
	FAILS(mkdir("/proc/self/fd/new", 0700), ENOENT);
	close(fd), close(again);
	fd = DOES(open("/dev/null", O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	CHECK(slurp(path) > 0 && strstr(text, "flags:\t02104000\n"));
	close(fd);
}

static pthread_barrier_t barrier;

static void *thread_wait(void *arg)
{
	char tid[16];

	snprintf(tid, sizeof(tid), "%d", gettid());
	*(bool *)arg = lists("/proc/self/task", tid);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void test_threads(void)
{
	pthread_t thread;
	bool good = false;
	char link[64] = "", want[64];

	TOPIC("task");
	pthread_barrier_init(&barrier, NULL, 2);
	EQUAL(count("/proc/self/task"), 1);
	pthread_create(&thread, NULL, thread_wait, &good);
	pthread_barrier_wait(&barrier);
	CHECK(good);
	EQUAL(count("/proc/self/task"), 2);
	CHECK(slurp("/proc/self/status") > 0 && strstr(text, "Threads:\t2\n"));
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	snprintf(want, sizeof(want), "%d/task/%d", getpid(), gettid());
	CHECK(readlink("/proc/thread-self", link, sizeof(link) - 1) > 0 && !strcmp(link, want));
	snprintf(want, sizeof(want), "%d", getpid());
	CHECK(lists("/proc", want) && lists("/proc/self/task", want) && lists("/proc", "self") &&
	      lists("/proc", "version"));
	FAILS(open("/proc/self/task/999999999", O_RDONLY), ENOENT);
}

static void test_reading(void)
{
	char page[16];
	int fd = DOES(open("/proc/self/stat", O_RDONLY));
	struct stat s;

	TOPIC("reading");
	EQUAL(fstat(fd, &s), 0);
	EQUAL(s.st_size, 0);
	EQUAL(read(fd, page, 2), 2);
	EQUAL(lseek(fd, 0, SEEK_CUR), 2);
	CHECK(slurp_fd(fd) > 50);
	EQUAL(read(fd, page, 1), 0);
	EQUAL(lseek(fd, 0, SEEK_SET), 0);
	CHECK(slurp_fd(fd) > 50 && atoi(text) == getpid());
	EQUAL(pread(fd, page, 5, 1) == 5 && !memcmp(page, text + 1, 5), 1);
	FAILS(write(fd, "x", 1), EBADF);
	EFAULTS(pread(fd, bad, 5, 0));
	FAILS((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
	FAILS(ioctl(fd, TCGETS, page), ENOTTY);
	close(fd);
	fd = DOES(open("/proc/self/comm", O_RDWR | O_TRUNC));
	EQUAL(write(fd, "a name that is too long", 23), 23);
	EQUAL(pread(fd, text, 100, 0), 16);
	EQUAL(memcmp(text, "a name that is \n", 16), 0);
	close(fd);
	fd = DOES(open("/proc/self/oom_score_adj", O_RDWR));
	FAILS(write(fd, "2000", 4), EINVAL);
	FAILS(write(fd, "x", 1), EINVAL);
	EQUAL(write(fd, "100\n", 4), 4);
	EQUAL(pread(fd, text, 10, 0), 4);
	EQUAL(memcmp(text, "100\n", 4), 0);
	close(fd);
	FAILS(unlink("/proc/version"), EPERM);
	FAILS(rmdir("/proc/sys"), EPERM);
	FAILS(mkdir("/proc/new", 0700), ENOENT);
	FAILS(rename("/proc/version", "/proc/v"), ENOENT);
	FAILS(chdir("/proc/version"), ENOTDIR);
	EQUAL(access("/proc/version", R_OK), 0);
}

static void test_file_systems(void)
{
	struct statfs s;

	TOPIC("file systems");
	EQUAL(statfs("/proc", &s), 0);
	EQUAL(s.f_type, 0x9fa0);
	EQUAL(statfs("/sys", &s), 0);
	EQUAL(s.f_type, 0x62656572);
	EQUAL(statfs("/dev/shm", &s), 0);
	EQUAL(s.f_type, 0x01021994);
	CHECK(slurp("/proc/mounts") > 0 && strstr(text, " /dev ") && strstr(text, " /sys ") &&
	      strstr(text, " /dev/shm "));
	CHECK(slurp("/proc/self/mountinfo") > 0 && strstr(text, " - proc proc rw"));
	CHECK(lists("/dev", "null") && lists("/dev", "fd") && lists("/sys/devices/system/cpu", "cpu0"));
	CHECK(slurp("/sys/devices/system/cpu/cpu0/topology/physical_package_id") == 2);
	CHECK(slurp("/sys/devices/system/cpu/cpu0/topology/core_id") >= 2);
	CHECK(slurp("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list") >= 2 && text[0] == '0');
	FAILS(open("/sys/devices/system/cpu/cpu99999", O_RDONLY), ENOENT);
	FAILS(mkdir("/sys/new", 0700), EPERM);
}

static void test_seeking(void)
{
	int fd = DOES(open("/dev/null", O_RDWR));

	TOPIC("seeking");
	EQUAL(lseek(fd, 100, SEEK_SET), 0);
	EQUAL(lseek(fd, 100, SEEK_END), 0);
	EQUAL(pwrite(fd, "x", 1, 1000), 1);
	FAILS(ioctl(fd, TCGETS, text), ENOTTY);
	FAILS((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
	close(fd);
	fd = DOES(open("/dev/zero", O_RDWR));
	EQUAL(lseek(fd, 100, SEEK_SET), 0);
	EQUAL(pread(fd, text, 10, 1000), 10);
	close(fd);
	fd = DOES(open("/dev/full", O_RDWR));
	FAILS(write(fd, "x", 1), ENOSPC);
	close(fd);
	fd = DOES(open("/dev/urandom", O_RDWR));
	EQUAL(write(fd, text, 1000), 1000);
	FAILS(ioctl(fd, TCGETS, text), EINVAL);
	close(fd);
}

int main(void)
{
	use_folder();
	test_descriptors();
	test_threads();
	test_reading();
	test_file_systems();
	test_seeking();
	return tap_done();
}
