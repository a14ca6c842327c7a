/* getdents64 and what readdir builds on it; mkdir, rmdir. */
#include <dirent.h>

#include "test/linux/util.h"

struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

/* Reads DIR to its end by buffers of SIZE bytes; counts entries, and those of NAME with TYPE. */
static int count_entries(int dir, size_t size, const char *name, int type, int *found)
{
	_Alignas(8) char buffer[4096];
	int total = 0;
	long len, at;

	*found = 0;
	while ((len = syscall(SYS_getdents64, dir, buffer, size)) > 0) {
		for (at = 0; at < len;) {
			struct entry *entry = (struct entry *)(buffer + at);

			total++;
			*found += strcmp(entry->name, name) == 0 && (entry->type == type || entry->type == DT_UNKNOWN);
			if (entry->len % 8 || entry->len < 24 || at + entry->len > len)
				return -1;
			at += entry->len;
		}
	}
	return len < 0 ? -1 : total;
}

static void test_getdents(void)
{
	_Alignas(8) char buffer[4096];
	char name[64];
	int i, found, dir, file;

	TOPIC("getdents64");
	mkdir("many", 0755);
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "many/a-file-with-number-%d", i);
		close(open(name, O_WRONLY | O_CREAT, 0600));
	}
	mkdir("many/sub", 0755);
	symlink("sub", "many/link");
	dir = open("many", O_RDONLY | O_DIRECTORY);
	EQUAL(count_entries(dir, sizeof(buffer), "a-file-with-number-137", DT_REG, &found), 204);
	EQUAL(found, 1);
	EQUAL(count_entries(dir, sizeof(buffer), "sub", DT_DIR, &found), 0);
	EQUAL(lseek(dir, 0, SEEK_SET), 0);
	EQUAL(count_entries(dir, 200, "sub", DT_DIR, &found), 204);
	EQUAL(found, 1);
	lseek(dir, 0, SEEK_SET);
	EQUAL(count_entries(dir, 1000, "link", DT_LNK, &found), 204);
	EQUAL(found, 1);
	lseek(dir, 0, SEEK_SET);
	EQUAL(count_entries(dir, 300, ".", DT_DIR, &found), 204);
	EQUAL(found, 1);
	lseek(dir, 0, SEEK_SET);
	EQUAL(count_entries(dir, 300, "..", DT_DIR, &found), 204);
	EQUAL(found, 1);
	lseek(dir, 0, SEEK_SET);
	FAILS(syscall(SYS_getdents64, dir, buffer, 8), EINVAL);
	FAILS(syscall(SYS_getdents64, dir, buffer, 0), EINVAL);
	EFAULTS(syscall(SYS_getdents64, dir, bad, 4096));
	file = open("many/a-file-with-number-1", O_RDONLY);
	FAILS(syscall(SYS_getdents64, file, buffer, sizeof(buffer)), ENOTDIR);
	FAILS(syscall(SYS_getdents64, -1, buffer, sizeof(buffer)), EBADF);
	close(file);
	close(dir);
	mkdir("gone", 0755);
	dir = open("gone", O_RDONLY);
	rmdir("gone");
	FAILS(syscall(SYS_getdents64, dir, buffer, sizeof(buffer)), ENOENT);
	close(dir);
}

static void test_readdir(void)
{
	DIR *dir = opendir("many");
	struct dirent *entry;
	int seen = 0, after, removed = 0;
	long middle = 0;
	char name[256] = "", path[300];

	TOPIC("readdir");
	while ((entry = readdir(dir))) {
		if (++seen == 100)
			middle = telldir(dir);
		if (seen == 101)
			snprintf(name, sizeof(name), "%s", entry->d_name);
	}
	EQUAL(seen, 204);
	seekdir(dir, middle);
	entry = readdir(dir);
	CHECK(entry && strcmp(entry->d_name, name) == 0);
	rewinddir(dir);
	/* Removing what was read must not make others vanish from the listing. */
	seen = 0;
	while ((entry = readdir(dir))) {
		seen++;
		if (strncmp(entry->d_name, "a-file", 6) != 0)
			continue;
		snprintf(path, sizeof(path), "many/%s", entry->d_name);
		removed += unlink(path) == 0;
	}
	EQUAL(seen, 204);
	EQUAL(removed, 200);
	rewinddir(dir);
	for (after = 0; readdir(dir); after++)
		;
	EQUAL(after, 4);
	closedir(dir);
	CHECK(opendir("none") == NULL && errno == ENOENT);
}

static void test_mkdir(void)
{
	struct stat stat_of;
	int dir;

	TOPIC("mkdir");
	umask(022);
	EQUAL(mkdir("d", 0777), 0);
	EQUAL(stat("d", &stat_of), 0);
	EQUAL(stat_of.st_mode, S_IFDIR | 0755);
	EQUAL(mkdir("d/e/", 0700), 0);
	FAILS(mkdir("d", 0777), EEXIST);
	FAILS(mkdir("d/", 0777), EEXIST);
	FAILS(mkdir("d/.", 0777), EEXIST);
	FAILS(mkdir("d/..", 0777), EEXIST);
	FAILS(mkdir("/", 0777), EEXIST);
	FAILS(mkdir("none/d", 0777), ENOENT);
	FAILS(mkdir("", 0777), ENOENT);
	close(make_file("file", "x"));
	FAILS(mkdir("file", 0777), EEXIST);
	FAILS(mkdir("file/d", 0777), ENOTDIR);
	symlink("nowhere", "dangling");
	FAILS(mkdir("dangling", 0777), EEXIST);
	EFAULTS(syscall(SYS_mkdir, bad, 0777));
	dir = open("d", O_RDONLY);
	EQUAL(mkdirat(dir, "at", 0777), 0);
	EQUAL(access("d/at", F_OK), 0);
	FAILS(mkdirat(999, "at", 0777), EBADF);
	close(dir);
	EQUAL(mkdir("sticky", 01777), 0);
	EQUAL(stat("sticky", &stat_of), 0);
	EQUAL(stat_of.st_mode, S_IFDIR | 01755);
}

static void test_rmdir(void)
{
	struct stat before, after;
	int dir;

	TOPIC("rmdir");
	FAILS(rmdir("d"), ENOTEMPTY);
	FAILS(rmdir("d/."), EINVAL);
	FAILS(rmdir("d/e/.."), ENOTEMPTY);
	FAILS(rmdir("file"), ENOTDIR);
	FAILS(rmdir("none"), ENOENT);
	FAILS(rmdir("dangling"), ENOTDIR);
	FAILS(rmdir("/"), EBUSY);
	EFAULTS(syscall(SYS_rmdir, bad));
	stat("d", &before);
	EQUAL(rmdir("d/e/"), 0);
	stat("d", &after);
	CHECK(after.st_nlink == before.st_nlink - 1 || after.st_nlink == 1);
	EQUAL(rmdir("d/at"), 0);
	symlink("d", "to-d");
	FAILS(rmdir("to-d"), ENOTDIR);
	FAILS(rmdir("to-d/"), ENOTDIR);
	dir = open("d", O_RDONLY);
	EQUAL(rmdir("d"), 0);
	EQUAL(fstat(dir, &after), 0);
	EQUAL(after.st_nlink, 0);
	FAILS(mkdirat(dir, "in-removed", 0777), ENOENT);
	EQUAL(fchdir(dir), 0);
	FAILS(syscall(SYS_getcwd, (char[4096]){ 0 }, 4096), ENOENT);
	EQUAL(chdir(util_folder), 0);
	close(dir);
}

int main(void)
{
	use_folder();
	test_getdents();
	test_readdir();
	test_mkdir();
	test_rmdir();
	return tap_done();
}
