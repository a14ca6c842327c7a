/* What programs read below /proc, and devices below /dev. */
#include <ctype.h>
#include <elf.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>

#include "test/linux/util.h"

static char text[1 << 17];

/* All of PATH into text; its length, -1 when it cannot be read. */
static long slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	long len = 0, got;

	if (fd < 0)
		return -1;
	while ((got = read(fd, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += got;
	close(fd);
	text[len] = '\0';
	return got < 0 ? -1 : len;
}

static bool has(const char *path, const char *part)
{
	return slurp(path) >= 0 && strstr(text, part);
}

static void test_maps(void)
{
	uintptr_t low, high, last = 0;
	char rights[5], *line;
	int stack = 0, code = 0, data = 0, ordered = 1;
	char *page = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), want[64];

	TOPIC("maps");
	CHECK(slurp("/proc/self/maps") > 0);
	for (line = text; *line; line = strchr(line, '\n') + 1) {
		if (sscanf(line, "%lx-%lx %4s", &low, &high, rights) != 3 || low < last || high <= low)
			ordered = 0;
		last = high;
		stack += (uintptr_t)&low >= low && (uintptr_t)&low < high && !memcmp(rights, "rw-p", 4);
		code += (uintptr_t)slurp >= low && (uintptr_t)slurp < high && !memcmp(rights, "r-xp", 4);
		data += (uintptr_t)text >= low && (uintptr_t)text < high && !memcmp(rights, "rw-p", 4);
	}
	CHECK(ordered && stack == 1 && code == 1 && data == 1);
	CHECK(strstr(text, "[stack]") != NULL);
	mprotect(page, PAGE, PROT_NONE);
	snprintf(want, sizeof(want), "%lx-%lx ---p ", (long)page, (long)page + (long)PAGE);
	CHECK(has("/proc/self/maps", want));
}

static void test_self(void)
{
	char link[256], self[256], path[64];
	ssize_t len;
	int fd = make_file("opened", "content"), value = 0;

	TOPIC("self");
	len = DOES(readlink("/proc/self/exe", self, sizeof(self) - 1));
	self[len > 0 ? len : 0] = '\0';
	CHECK(self[0] == '/' && strstr(self, "proc"));
	EQUAL(access("/proc/self/exe", X_OK), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = DOES(readlink(path, link, sizeof(link) - 1));
	link[len > 0 ? len : 0] = '\0';
	snprintf(self, sizeof(self), "%s/opened", util_folder);
	CHECK(strcmp(link, self) == 0);
	CHECK(access("/proc/self/fd/999", F_OK) == -1);
	len = DOES(readlink("/proc/self/cwd", link, sizeof(link) - 1));
	CHECK(len == (ssize_t)strlen(util_folder));
	EQUAL(readlink("/proc/self/root", link, sizeof(link)), 1);
	len = readlink("/proc/self", link, sizeof(link) - 1);
	link[len > 0 ? len : 0] = '\0';
	EQUAL(atoi(link) == getpid(), 1);
	CHECK(has("/proc/self/status", "Threads:\t1\n") && strstr(text, "VmRSS:") && strstr(text, "Uid:\t0\t0\t0\t0"));
	CHECK(strstr(text, "Name:\tproc\n") && strstr(text, "State:\tR"));
	CHECK(slurp("/proc/self/stat") > 50 && atoi(text) == getpid() && strstr(text, "(proc) R "));
	CHECK(slurp("/proc/self/statm") > 10 && atoi(text) > 0);
	CHECK(slurp("/proc/self/cmdline") > 4 && strstr(text, "proc"));
	CHECK(slurp("/proc/self/environ") >= 0);
	EQUAL(prctl(PR_SET_NAME, "renamed"), 0);
	CHECK(slurp("/proc/self/comm") == 8 && strcmp(text, "renamed\n") == 0);
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", gettid());
	CHECK(slurp(path) == 8);
	CHECK(slurp("/proc/self/mounts") > 0 && strstr(text, "/proc proc "));
	CHECK(slurp("/proc/self/mountinfo") > 0);
	CHECK(has("/proc/self/limits", "Max open files"));
	CHECK(slurp("/proc/self/cgroup") >= 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	CHECK(lseek(fd, 4, SEEK_SET) == 4 && slurp(path) > 0 && sscanf(text, "pos:\t%d", &value) == 1 && value == 4);
	CHECK(slurp("/proc/self/oom_score_adj") > 0);
	close(fd);
	FAILS(open("/proc/none", O_RDONLY), ENOENT);
	FAILS(open("/proc/self/new", O_RDWR | O_CREAT, 0600), ENOENT);
	FAILS(open("/proc/0", O_RDONLY), ENOENT);
}

static void test_auxv(void)
{
	static const unsigned long needed[] = { AT_PHDR,   AT_PHENT,	AT_PHNUM,	 AT_PAGESZ,
						AT_ENTRY,  AT_HWCAP,	AT_CLKTCK,	 AT_RANDOM,
						AT_EXECFN, AT_PLATFORM, AT_SYSINFO_EHDR, AT_MINSIGSTKSZ };
	Elf64_auxv_t *entry;
	size_t i;
	bool same = true;

	TOPIC("auxv");
	for (i = 0; i < COUNT(needed); i++)
		CHECK_AS(getauxval(needed[i]) != 0, "entry %lu is there", needed[i]);
	EQUAL(getauxval(AT_PAGESZ), 4096);
	EQUAL(getauxval(AT_CLKTCK), 100);
	EQUAL(getauxval(AT_PHENT), 56);
	EQUAL(getauxval(AT_SECURE), 0);
	EQUAL(getauxval(AT_UID) | getauxval(AT_EUID) | getauxval(AT_GID) | getauxval(AT_EGID), 0);
	CHECK(strstr((char *)getauxval(AT_EXECFN), "proc") && !strcmp((char *)getauxval(AT_PLATFORM), "x86_64"));
	CHECK(memcmp((char *)getauxval(AT_SYSINFO_EHDR), ELFMAG, 4) == 0);
	CHECK(slurp("/proc/self/auxv") > 0);
	for (entry = (Elf64_auxv_t *)text; entry->a_type != AT_NULL; entry++)
		if (entry->a_type != AT_HWCAP2 && entry->a_type != AT_MINSIGSTKSZ && entry->a_type != AT_HWCAP)
			same = same && getauxval(entry->a_type) == entry->a_un.a_val;
	CHECK(same);
}

static void test_system(void)
{
	static const char *const numbers[] = { "/proc/sys/vm/overcommit_memory",
					       "/proc/sys/vm/max_map_count",
					       "/proc/sys/kernel/pid_max",
					       "/proc/sys/fs/file-max",
					       "/proc/sys/kernel/random/entropy_avail",
					       "/proc/sys/vm/mmap_min_addr",
					       "/proc/sys/fs/nr_open",
					       "/proc/sys/fs/pipe-max-size",
					       "/proc/sys/kernel/threads-max" };
	double up, idle;
	size_t i;

	TOPIC("system");
	CHECK(has("/proc/cpuinfo", "processor\t: 0\n") && strstr(text, "flags\t\t: ") && strstr(text, "cpu MHz"));
	CHECK(has("/proc/meminfo", "MemTotal: ") && strstr(text, "MemAvailable: ") && strstr(text, " kB\n"));
	CHECK(slurp("/proc/loadavg") > 0 && isdigit(text[0]));
	CHECK(slurp("/proc/uptime") > 0 && sscanf(text, "%lf %lf", &up, &idle) == 2 && up > 0);
	CHECK(has("/proc/stat", "cpu  ") && strstr(text, "cpu0 ") && strstr(text, "btime "));
	CHECK(has("/proc/version", "Linux version "));
	CHECK(has("/proc/filesystems", "proc\n"));
	for (i = 0; i < COUNT(numbers); i++)
		CHECK_AS(slurp(numbers[i]) > 1 && isdigit(text[0]), "%s is a number", numbers[i]);
	CHECK(slurp("/proc/sys/kernel/osrelease") > 1 && isdigit(text[0]));
	CHECK(slurp("/proc/sys/kernel/random/boot_id") == 37 && text[8] == '-');
	CHECK(slurp("/proc/sys/kernel/hostname") > 1);
	CHECK(slurp("/sys/devices/system/cpu/online") > 1 && text[0] == '0');
	CHECK(slurp("/sys/devices/system/cpu/possible") > 1);
}

static void test_devices(void)
{
	static const char zero[64];
	char buffer[64] = "", other[64];
	struct stat s;
	int fd, copy;

	TOPIC("devices");
	fd = DOES(open("/dev/null", O_RDWR));
	EQUAL(read(fd, buffer, 64), 0);
	EQUAL(write(fd, buffer, 64), 64);
	EQUAL(write(fd, UNMAPPED, 64), 64);
	close(fd);
	fd = DOES(open("/dev/zero", O_RDWR));
	memset(buffer, 1, 64);
	EQUAL(read(fd, buffer, 64), 64);
	CHECK(memcmp(buffer, zero, 64) == 0);
	EQUAL(write(fd, buffer, 64), 64);
	EFAULTS(read(fd, bad, 64));
	char *page = DOES((char *)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	CHECK(page != MAP_FAILED && peek(page) == 0);
	poke(page, 1);
	close(fd);
	fd = DOES(open("/dev/full", O_RDWR));
	FAILS(write(fd, buffer, 1), ENOSPC);
	EQUAL(read(fd, buffer, 64), 64);
	close(fd);
	fd = DOES(open("/dev/urandom", O_RDONLY));
	EQUAL(read(fd, buffer, 64), 64);
	EQUAL(read(fd, other, 64), 64);
	CHECK(memcmp(buffer, other, 64) != 0);
	EFAULTS(read(fd, bad, 64));
	close(fd);
	fd = DOES(open("/dev/random", O_RDONLY));
	EQUAL(read(fd, buffer, 16), 16);
	close(fd);
	EQUAL(stat("/dev/tty", &s), 0);
	CHECK(S_ISCHR(s.st_mode) && major(s.st_rdev) == 5 && minor(s.st_rdev) == 0);
	EQUAL(stat("/dev/shm", &s), 0);
	EQUAL(s.st_mode, S_IFDIR | 01777);
	fd = DOES(open("/dev/shm/oracle", O_RDWR | O_CREAT | O_TRUNC, 0600));
	EQUAL(unlink("/dev/shm/oracle"), 0);
	close(fd);
	fd = make_file("by-number", "hello");
	snprintf(buffer, sizeof(buffer), "/dev/fd/%d", fd);
	copy = DOES(open(buffer, O_RDONLY));
	EQUAL(read(copy, other, 5), 5);
	close(fd), close(copy);
	EQUAL(access("/dev/stdin", F_OK) | access("/dev/stdout", F_OK) | access("/dev/stderr", F_OK), 0);
	FAILS(open("/dev/none", O_RDONLY), ENOENT);
}

int main(void)
{
	use_folder();
	test_maps();
	test_self();
	test_auxv();
	test_system();
	test_devices();
	return tap_done();
}
