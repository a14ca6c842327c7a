/* Helpers of the tests of kernel/file: calls with plain buffers. */
#ifndef TEST_UNIT_FILE_TEST_H
#define TEST_UNIT_FILE_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/file/file.h"
#include "test/unit/shim/heap.h"
#include "test/unit/shim/wait.h"

static inline ssize_t read_file(struct file *file, void *buf, size_t len)
{
	struct iovec iov;
	struct uio uio;

	uio_init(&uio, &iov, buf, len);
	return file_read(file, &uio, NULL);
}

static inline ssize_t write_file(struct file *file, const void *buf, size_t len)
{
	struct iovec iov;
	struct uio uio;

	uio_init(&uio, &iov, (void *)(uintptr_t)buf, len);
	return file_write(file, &uio, NULL);
}

static inline int no_leaks(void **state)
{
	(void)state;
	heap_fail_at = 0;
	shim_block = NULL;
	shim_blocks = 0;
	shim_thread.work = 0;
	return heap_objects || heap_pages;
}

#endif
