/* What kernel/file/file.c needs of names. Weak. */
#include "kernel/file/path.h"
#include "kernel/mem/vmap.h"

#include <stdlib.h>

__attribute__((weak)) void dentry_put(struct dentry *dentry)
{
	(void)dentry;
}

__attribute__((weak)) void *vmap_alloc(size_t len)
{
	return calloc(1, len);
}

__attribute__((weak)) void vmap_free(void *va)
{
	free(va);
}
