/* Extended attributes, and inotify. */
#include <sys/inotify.h>
#include <sys/xattr.h>

#include "test/linux/util.h"

static void test_xattr(void)
{
	char value[32] = "", list[128];
	int fd = make_file("file", "x");

	TOPIC("xattr");
	if (setxattr("file", "user.probe", "1", 1, 0) == -1 && errno == EOPNOTSUPP) {
		tap_skip("extended attributes", "this file system has none");
		close(fd);
		return;
	}
	EQUAL(removexattr("file", "user.probe"), 0);
	EQUAL(setxattr("file", "user.one", "value", 5, XATTR_CREATE), 0);
	FAILS(setxattr("file", "user.one", "value", 5, XATTR_CREATE), EEXIST);
	FAILS(setxattr("file", "user.two", "value", 5, XATTR_REPLACE), ENODATA);
	EQUAL(getxattr("file", "user.one", value, sizeof(value)), 5);
	CHECK(memcmp(value, "value", 5) == 0);
	EQUAL(getxattr("file", "user.one", NULL, 0), 5);
	FAILS(getxattr("file", "user.one", value, 3), ERANGE);
	FAILS(getxattr("file", "user.none", value, 3), ENODATA);
	EQUAL(fsetxattr(fd, "user.two", "", 0, 0), 0);
	EQUAL(fgetxattr(fd, "user.two", value, sizeof(value)), 0);
	EQUAL(listxattr("file", list, sizeof(list)), 18);
	FAILS(listxattr("file", list, 4), ERANGE);
	EQUAL(flistxattr(fd, NULL, 0), 18);
	EQUAL(removexattr("file", "user.two"), 0);
	FAILS(fremovexattr(fd, "user.two"), ENODATA);
	EQUAL(llistxattr("file", list, sizeof(list)), 9);
	FAILS(setxattr("file", "none.such", "v", 1, 0), EOPNOTSUPP);
	FAILS(setxattr("file", "user.one", "v", 1, 4), EINVAL);
	FAILS(setxattr("file", "", "v", 1, 0), ERANGE);
	FAILS(getxattr("none", "user.one", value, 1), ENOENT);
	EFAULTS(syscall(SYS_getxattr, "file", "user.one", bad, 10));
	EFAULTS(syscall(SYS_setxattr, "file", "user.one", bad, 10, 0));
	EFAULTS(syscall(SYS_setxattr, "file", bad, value, 1, 0));
	close(fd);
}

static int names_seen, masks_seen;

/* Reads all events that are there; the number. */
static int drain(int fd)
{
	_Alignas(8) char buffer[4096];
	ssize_t len, at;
	int events = 0;

	masks_seen = names_seen = 0;
	while ((len = read(fd, buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < len; events++) {
			struct inotify_event *event = (struct inotify_event *)(buffer + at);

			masks_seen |= (int)event->mask;
			names_seen += event->len && strcmp(event->name, "new") == 0;
			at += (ssize_t)sizeof(*event) + event->len;
		}
	}
	return events;
}

static void test_inotify(void)
{
	char small[8];
	int fd = DOES(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), watch, file;

	TOPIC("inotify");
	mkdir("dir", 0755);
	FAILS(read(fd, small, sizeof(small)), EAGAIN);
	watch = DOES(inotify_add_watch(fd, "dir", IN_CREATE | IN_DELETE | IN_MODIFY | IN_MOVE | IN_CLOSE_WRITE));
	EQUAL(inotify_add_watch(fd, "dir/.", IN_CREATE | IN_DELETE | IN_MODIFY | IN_MOVE | IN_CLOSE_WRITE) == watch, 1);
	file = make_file("dir/new", "text");
	FAILS(read(fd, small, sizeof(small)), EINVAL);
	close(file);
	EQUAL(drain(fd), 3);
	EQUAL(masks_seen, IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE);
	EQUAL(names_seen, 3);
	rename("dir/new", "dir/other");
	EQUAL(drain(fd), 2);
	EQUAL(masks_seen, IN_MOVED_FROM | IN_MOVED_TO);
	unlink("dir/other");
	EQUAL(drain(fd), 1);
	EQUAL(masks_seen, IN_DELETE);
	mkdir("dir/new", 0755);
	EQUAL(drain(fd), 1);
	EQUAL(masks_seen, IN_CREATE | IN_ISDIR);
	EQUAL(inotify_rm_watch(fd, watch), 0);
	EQUAL(drain(fd), 1);
	EQUAL(masks_seen, IN_IGNORED);
	FAILS(inotify_rm_watch(fd, watch), EINVAL);
	DOES(inotify_add_watch(fd, "dir/new", IN_DELETE_SELF | IN_ATTRIB));
	rmdir("dir/new");
	drain(fd);
	EQUAL(masks_seen & (IN_DELETE_SELF | IN_IGNORED), IN_DELETE_SELF | IN_IGNORED);
	FAILS(inotify_add_watch(fd, "none", IN_CREATE), ENOENT);
	FAILS(inotify_add_watch(fd, "dir", 0), EINVAL);
	FAILS(inotify_add_watch(0, "dir", IN_CREATE), EINVAL);
	FAILS(inotify_add_watch(fd, "file", IN_CREATE | IN_ONLYDIR), ENOTDIR);
	FAILS(inotify_init1(0x100), EINVAL);
	EFAULTS(syscall(SYS_inotify_add_watch, fd, bad, IN_CREATE));
	close(fd);
}

int main(void)
{
	use_folder();
	test_xattr();
	test_inotify();
	return tap_done();
}
