#include "kernel/boot/phys.h"

#include "lib/errno.h"
#include "lib/util.h"

const void *phys_window(paddr_t pa, size_t len)
{
	paddr_t end;

	if (!pa || !len || __builtin_add_overflow(pa, len, &end) || end > PHYS_MAX)
		return NULL;
	if (pa < arch_layout.image_phys + arch_layout.image_len && end > arch_layout.image_phys)
		return NULL;
	return arch_physmap_add(pa, len);
}

int phys_read_string(char *dst, size_t size, paddr_t pa)
{
	size_t done = 0;

	for (;;) {
		size_t n = PAGE_SIZE - (pa & (PAGE_SIZE - 1));
		const char *src = phys_window(pa, n);

		if (!src) {
			dst[done] = '\0';
			return -EFAULT;
		}
		for (size_t i = 0; i < n; i++) {
			dst[done] = src[i];
			if (!dst[done])
				return (int)done;
			if (++done == size) {
				dst[size - 1] = '\0';
				return -E2BIG;
			}
		}
		pa += n;
	}
}
