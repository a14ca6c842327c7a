/* mmap, munmap, mprotect, mremap, madvise, mincore, msync, mlock, brk, memfd_create. */
#include <sys/resource.h>

#include "test/linux/util.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t pages, int protection)
{
	return mmap(NULL, pages * PAGE, protection, ANON, -1, 0);
}

static void test_anonymous(void)
{
	char *p = map(4, RW), *q;
	static char zero[4096];

	TOPIC("anonymous");
	CHECK(p != MAP_FAILED && (uintptr_t)p % PAGE == 0);
	CHECK(memcmp(p + PAGE, zero, PAGE) == 0);
	poke(p + 3 * PAGE, 7);
	EQUAL(munmap(p + PAGE, PAGE), 0);
	FAULTS(peek(p + PAGE), SIGSEGV, SEGV_MAPERR, p + PAGE);
	FAULTS(peek(p + 2 * PAGE - 1), SIGSEGV, SEGV_MAPERR, p + 2 * PAGE - 1);
	EQUAL(peek(p + 3 * PAGE), 7);
	EQUAL(munmap(p + PAGE, PAGE), 0);
	q = mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(q == p + PAGE);
	FAILS(mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	poke(q, 9);
	q = mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	CHECK(q == p + PAGE && peek(q) == 0);
	q = mmap(p, PAGE, RW, ANON, -1, 0);
	CHECK(q != MAP_FAILED && q != p);
	EQUAL(munmap(q, 1), 0);
	FAILS(munmap(p + 1, PAGE), EINVAL);
	FAILS(munmap(p, 0), EINVAL);
	FAILS(munmap(KERNEL_HALF, PAGE), EINVAL);
	FAILS(mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	FAILS(mmap(p + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
	FAILS(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	FAILS(mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0), EBADF);
	FAILS(mmap(NULL, 1UL << 60, RW, ANON, -1, 0), ENOMEM);
	FAILS(mmap(KERNEL_HALF, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
	FAILS(syscall(SYS_mmap, NULL, PAGE, RW, MAP_PRIVATE, 0, 1L), EINVAL);
	EQUAL(munmap(p, 4 * PAGE), 0);
	q = DOES(mmap(NULL, 1UL << 36, PROT_NONE, ANON | MAP_NORESERVE, -1, 0));
	EQUAL(mprotect(q + (1UL << 35), PAGE, RW), 0);
	poke(q + (1UL << 35), 1);
	EQUAL(munmap(q, 1UL << 36), 0);
	q = DOES(mmap(NULL, 2 * PAGE, RW, ANON | MAP_POPULATE | MAP_STACK, -1, 0));
	EQUAL(munmap(q, 2 * PAGE), 0);
	q = DOES(mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	poke(q, 3);
	EQUAL(munmap(q, 2 * PAGE), 0);
	q = DOES(mmap(NULL, PAGE, RW, ANON | 0x40 /* MAP_32BIT */, -1, 0));
	CHECK((uintptr_t)q < 1UL << 32);
	munmap(q, PAGE);
}

static void test_protection(void)
{
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 }; /* mov $42, %eax; ret */
	char *p = map(4, RW);
	int (*function)(void) = (int (*)(void))(uintptr_t)p;

	TOPIC("protection");
	poke(p, 1);
	EQUAL(mprotect(p, PAGE, PROT_READ), 0);
	EQUAL(peek(p), 1);
	FAULTS(poke(p + 5, 2), SIGSEGV, SEGV_ACCERR, p + 5);
	EQUAL(mprotect(p + PAGE, PAGE, PROT_NONE), 0);
	FAULTS(peek(p + PAGE), SIGSEGV, SEGV_ACCERR, p + PAGE);
	poke(p + 2 * PAGE, 1);
	EQUAL(mprotect(p, PAGE, RW), 0);
	memcpy(p, code, sizeof(code));
	FAULTS((void)function(), SIGSEGV, SEGV_ACCERR, p);
	EQUAL(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
	EQUAL(function(), 42);
	FAULTS(poke(p, 0), SIGSEGV, SEGV_ACCERR, p);
	FAILS(syscall(SYS_mprotect, p + 1, PAGE, RW), EINVAL);
	FAILS(mprotect(p, PAGE, 0x100), EINVAL);
	FAILS(mprotect(UNMAPPED, PAGE, RW), ENOMEM);
	EQUAL(mprotect(p, 0, RW), 0);
	munmap(p + 3 * PAGE, PAGE);
	FAILS(mprotect(p, 4 * PAGE, PROT_READ), ENOMEM);
	FAULTS(peek(KERNEL_HALF), SIGSEGV, SEGV_MAPERR, KERNEL_HALF);
	FAULTS(peek(UNMAPPED), SIGSEGV, SEGV_MAPERR, UNMAPPED);
	FAULTS(peek((void *)8), SIGSEGV, SEGV_MAPERR, 8);
	/* An address that is not canonical is not told (SI_KERNEL). */
	FAULTS(peek((void *)0x8000000000000000), SIGSEGV, SI_KERNEL, 0);
	munmap(p, 3 * PAGE);
}

static void test_files(void)
{
	char text[8] = "";
	int fd = make_file("file", "0123456789"), ro = open("file", O_RDONLY), wo = open("file", O_WRONLY);
	char *shared, *private, *other;

	TOPIC("files");
	ftruncate(fd, 3 * PAGE + 100);
	shared = DOES((char *)mmap(NULL, 5 * PAGE, RW, MAP_SHARED, fd, 0));
	private = DOES((char *)mmap(NULL, 5 * PAGE, RW, MAP_PRIVATE, fd, 0));
	CHECK(memcmp(shared, "0123456789", 10) == 0);
	memcpy(shared + 2, "AB", 2);
	EQUAL(pread(fd, text, 6, 0), 6);
	CHECK(memcmp(text, "01AB45", 6) == 0);
	CHECK(memcmp(private, "01AB45", 6) == 0);
	EQUAL(pwrite(fd, "xyz", 3, 4), 3);
	CHECK(memcmp(shared, "01ABxyz789", 10) == 0);
	poke(private, 'P');
	EQUAL(shared[0], '0');
	EQUAL(pwrite(fd, "Q", 1, 0), 1);
	CHECK(shared[0] == 'Q' && private[0] == 'P');
	/* Between the end of the file and of its page: zero; beyond: SIGBUS. */
	EQUAL(peek(shared + 3 * PAGE + 200), 0);
	FAULTS(peek(shared + 4 * PAGE), SIGBUS, BUS_ADRERR, shared + 4 * PAGE);
	FAULTS(poke(private + 4 * PAGE, 1), SIGBUS, BUS_ADRERR, private + 4 * PAGE);
	ftruncate(fd, 5 * PAGE);
	EQUAL(peek(shared + 4 * PAGE), 0);
	ftruncate(fd, PAGE);
	FAULTS(peek(shared + PAGE), SIGBUS, BUS_ADRERR, shared + PAGE);
	FAILS(read(open("/dev/zero", O_RDONLY), shared + PAGE, 1), EFAULT);
	FAILS(mmap(NULL, PAGE, RW, MAP_SHARED, ro, 0), EACCES);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, wo, 0), EACCES);
	other = DOES((char *)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0));
	FAILS(mprotect(other, PAGE, RW), EACCES);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open(".", O_RDONLY), 0), ENODEV);
	EQUAL(close(fd), 0);
	unlink("file");
	shared[1] = 'k';
	EQUAL(other[1], 'k');
	EQUAL(msync(shared, PAGE, MS_SYNC), 0);
	FAILS(msync(shared, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	FAILS(msync(shared + 1, PAGE, MS_SYNC), EINVAL);
	FAILS(msync(UNMAPPED, PAGE, MS_SYNC), ENOMEM);
	munmap(shared, 5 * PAGE), munmap(private, 5 * PAGE), munmap(other, PAGE);
	close(ro), close(wo);
}

static void test_mremap(void)
{
	char *p = map(10, RW), *q, *fixed;

	TOPIC("mremap");
	munmap(p + 4 * PAGE, 4 * PAGE);
	memset(p, 'a', 4 * PAGE);
	EQUAL((intptr_t)(mremap(p, 4 * PAGE, 6 * PAGE, 0) == p), 1);
	CHECK(p[4 * PAGE - 1] == 'a' && p[5 * PAGE] == 0);
	FAILS(mremap(p, 6 * PAGE, 12 * PAGE, 0), ENOMEM);
	q = DOES((char *)mremap(p, 6 * PAGE, 12 * PAGE, MREMAP_MAYMOVE));
	CHECK(q != p && q[0] == 'a' && q[4 * PAGE - 1] == 'a' && q[11 * PAGE] == 0);
	FAULTS(peek(p), SIGSEGV, SEGV_MAPERR, p);
	EQUAL((intptr_t)(mremap(q, 12 * PAGE, 2 * PAGE, 0) == q), 1);
	FAULTS(peek(q + 2 * PAGE), SIGSEGV, SEGV_MAPERR, q + 2 * PAGE);
	fixed = map(2, RW);
	EQUAL((intptr_t)(mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, fixed) == fixed), 1);
	CHECK(fixed[0] == 'a' && fixed[2 * PAGE - 1] == 'a');
	FAILS(mremap(fixed + 1, PAGE, PAGE, 0), EINVAL);
	FAILS(mremap(fixed, PAGE, 0, 0), EINVAL);
	FAILS(mremap(fixed, PAGE, PAGE, 0x80), EINVAL);
	FAILS(mremap(fixed, 2 * PAGE, 2 * PAGE, MREMAP_FIXED, q), EINVAL);
	FAILS(mremap(fixed, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, fixed + PAGE), EINVAL);
	FAILS(mremap(UNMAPPED, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	munmap(fixed, 2 * PAGE);
}

static void test_madvise(void)
{
	char *p = map(4, RW);
	unsigned char in_core[4];

	TOPIC("madvise");
	memset(p, 'm', 4 * PAGE);
	EQUAL(madvise(p + PAGE, PAGE, MADV_DONTNEED), 0);
	CHECK(p[0] == 'm' && p[PAGE] == 0 && p[2 * PAGE] == 'm');
	EQUAL(madvise(p, PAGE, 8 /* MADV_FREE */), 0);
	poke(p, 'n');
	EQUAL(p[0], 'n');
	EQUAL(madvise(p, 4 * PAGE, MADV_WILLNEED), 0);
	EQUAL(madvise(p, 4 * PAGE, MADV_NORMAL), 0);
	EQUAL(madvise(p, 4 * PAGE, MADV_RANDOM), 0);
	EQUAL(madvise(p, 4 * PAGE, MADV_SEQUENTIAL), 0);
	EQUAL(madvise(p, 4 * PAGE, MADV_DONTDUMP), 0);
	EQUAL(madvise(p, 4 * PAGE, MADV_DONTFORK), 0);
	FAILS(madvise(p, PAGE, 9999), EINVAL);
	FAILS(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
	FAILS(madvise(UNMAPPED, PAGE, MADV_DONTNEED), ENOMEM);
	EQUAL(madvise(p, 0, MADV_DONTNEED), 0);
	munmap(p, 4 * PAGE);

	TOPIC("mincore and mlock");
	p = map(4, RW);
	poke(p + 2 * PAGE, 1);
	EQUAL(mincore(p, 4 * PAGE, in_core), 0);
	CHECK((in_core[2] & 1) && !(in_core[0] & 1));
	FAILS(mincore(p + 1, PAGE, in_core), EINVAL);
	FAILS(mincore(UNMAPPED, PAGE, in_core), ENOMEM);
	EFAULTS(syscall(SYS_mincore, p, PAGE, bad));
	EQUAL(mlock(p, 4 * PAGE), 0);
	EQUAL(mincore(p, 4 * PAGE, in_core), 0);
	CHECK((in_core[0] & 1) && (in_core[3] & 1));
	EQUAL(munlock(p, 4 * PAGE), 0);
	FAILS(mlock(UNMAPPED, PAGE), ENOMEM);
	EQUAL(mlockall(MCL_CURRENT), 0);
	EQUAL(munlockall(), 0);
	FAILS(mlockall(0x100), EINVAL);
	munmap(p, 4 * PAGE);
}

static void test_brk(void)
{
	char *start = (char *)syscall(SYS_brk, 0), *end;

	TOPIC("brk");
	end = start + 5 * PAGE;
	CHECK((char *)syscall(SYS_brk, end) == end);
	EQUAL(peek(end - 1), 0);
	poke(end - 1, 5);
	CHECK((char *)syscall(SYS_brk, start) == start);
	FAULTS(peek(end - 1), SIGSEGV, SEGV_MAPERR, end - 1);
	CHECK((char *)syscall(SYS_brk, end) == end);
	EQUAL(peek(end - 1), 0);
	/* What cannot be done leaves the break as it is. */
	CHECK((char *)syscall(SYS_brk, KERNEL_HALF) == end);
	CHECK((char *)syscall(SYS_brk, 1) == end);
	CHECK((char *)syscall(SYS_brk, start) == start);
}

static void test_memfd(void)
{
	char *p, text[4], name[260];
	struct stat s;
	int fd = DOES((int)syscall(SYS_memfd_create, "name", 3 /* CLOEXEC | ALLOW_SEALING */));

	TOPIC("memfd");
	EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EQUAL(ftruncate(fd, 2 * PAGE), 0);
	p = DOES((char *)mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0));
	poke(p, 'm'), poke(p + 1, 'e'), poke(p + 2, 'm');
	EQUAL(pread(fd, text, 3, 0), 3);
	CHECK(memcmp(text, "mem", 3) == 0);
	EQUAL(fstat(fd, &s), 0);
	CHECK(S_ISREG(s.st_mode) && s.st_nlink == 0 && s.st_size == 2 * (off_t)PAGE);
	EQUAL(fcntl(fd, 1034 /* F_GET_SEALS */), 0);
	EQUAL(fcntl(fd, 1033 /* F_ADD_SEALS */, 2 /* F_SEAL_SHRINK */), 0);
	FAILS(ftruncate(fd, PAGE), EPERM);
	FAILS(fcntl(fd, 1033, 8 /* F_SEAL_WRITE */), EBUSY);
	munmap(p, 2 * PAGE);
	EQUAL(fcntl(fd, 1033, 8), 0);
	FAILS(write(fd, "x", 1), EPERM);
	FAILS(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0), EPERM);
	close(fd);
	FAILS(syscall(SYS_memfd_create, "x", 0x1000), EINVAL);
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	FAILS(syscall(SYS_memfd_create, name, 0), EINVAL);
	EFAULTS(syscall(SYS_memfd_create, bad, 0));
}

__attribute__((noinline)) static int deep(int depth)
{
	volatile char frame[4000];

	frame[0] = (char)depth;
	return depth ? deep(depth - 1) + frame[0] - (char)depth : 0;
}

static volatile sig_atomic_t overflowed;
static sigjmp_buf after_overflow;

static void on_overflow(int nr, siginfo_t *info, void *context)
{
	(void)nr, (void)info, (void)context;
	overflowed++;
	siglongjmp(after_overflow, 1);
}

static void test_stack(void)
{
	static char other_stack[65536];
	stack_t stack = { .ss_sp = other_stack, .ss_size = sizeof(other_stack) };
	struct sigaction action = { .sa_sigaction = on_overflow, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	struct rlimit limit;

	TOPIC("stack");
	EQUAL(deep(1000), 0);
	getrlimit(RLIMIT_STACK, &limit);
	limit.rlim_cur = 6 << 20;
	setrlimit(RLIMIT_STACK, &limit);
	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	if (!sigsetjmp(after_overflow, 1))
		deep(1 << 30);
	EQUAL(overflowed, 1);
	if (!sigsetjmp(after_overflow, 1))
		deep(1 << 30);
	EQUAL(overflowed, 2);
}

int main(void)
{
	use_folder();
	catch_faults();
	test_anonymous();
	test_protection();
	test_files();
	test_mremap();
	test_madvise();
	test_brk();
	test_memfd();
	test_stack();
	return tap_done();
}
