/* lseek with each whence, holes, and the offset that duplicates share. */
#include <limits.h>

#include "test/linux/util.h"

int main(void)
{
	int fd, other;
	char text[8];
	struct stat stat;

	use_folder();
	fd = make_file("file", "0123456789");
	TOPIC("whence");
	EQUAL(lseek(fd, 3, SEEK_SET), 3);
	EQUAL(lseek(fd, 3, SEEK_CUR), 6);
	EQUAL(lseek(fd, -1, SEEK_CUR), 5);
	EQUAL(lseek(fd, -2, SEEK_END), 8);
	EQUAL(lseek(fd, 5, SEEK_END), 15);
	EQUAL(read(fd, text, 1), 0);
	FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
	FAILS(lseek(fd, -100, SEEK_CUR), EINVAL);
	FAILS(lseek(fd, -100, SEEK_END), EINVAL);
	FAILS(lseek(fd, 0, 99), EINVAL);
	FAILS(lseek(fd, 0, -1), EINVAL);
	EQUAL(lseek(fd, 0, SEEK_CUR), 15);
	FAILS(lseek(-1, 0, SEEK_SET), EBADF);
	FAILS(lseek(fd, LONG_MAX, SEEK_CUR), EINVAL);

	TOPIC("shared offset");
	other = dup(fd);
	lseek(fd, 4, SEEK_SET);
	EQUAL(lseek(other, 0, SEEK_CUR), 4);
	close(other);
	other = open("file", O_RDONLY);
	EQUAL(lseek(other, 0, SEEK_CUR), 0);
	close(other);

	TOPIC("data and holes");
	FAILS(lseek(fd, 10, SEEK_DATA), ENXIO);
	FAILS(lseek(fd, 11, SEEK_HOLE), ENXIO);
	FAILS(lseek(fd, -1, SEEK_DATA), ENXIO);
	EQUAL(lseek(fd, 2, SEEK_DATA), 2);
	EQUAL(lseek(fd, 2, SEEK_HOLE), 10);
	EQUAL(pwrite(fd, "far", 3, 1 << 20), 3);
	EQUAL(lseek(fd, 0, SEEK_HOLE), 4096);
	EQUAL(lseek(fd, 4096, SEEK_DATA), 1 << 20);
	EQUAL(lseek(fd, 5000, SEEK_HOLE), 5000);
	EQUAL(lseek(fd, 1 << 20, SEEK_HOLE), (1 << 20) + 3);
	EQUAL(fstat(fd, &stat), 0);
	EQUAL(stat.st_size, (1 << 20) + 3);
	CHECK(stat.st_blocks < 100);
	EQUAL(ftruncate(fd, 2 << 20), 0);
	FAILS(lseek(fd, 1200000, SEEK_DATA), ENXIO);
	EQUAL(lseek(fd, 1200000, SEEK_HOLE), 1200000);
	close(fd);

	TOPIC("other files");
	fd = open("/dev/null", O_RDWR);
	EQUAL(lseek(fd, 5, SEEK_SET), 0);
	close(fd);
	fd = open("/dev/zero", O_RDWR);
	EQUAL(lseek(fd, 0, SEEK_CUR), 0);
	close(fd);
	fd = open(".", O_RDONLY);
	EQUAL(lseek(fd, 0, SEEK_SET), 0);
	close(fd);
	return tap_done();
}
