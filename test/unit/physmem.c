#include "test/unit/physmem.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define RANGES_MAX 4096

struct range {
	size_t start, end;
};

static uint8_t *memory;
static struct range shown[RANGES_MAX], written[RANGES_MAX];
static unsigned nr_shown, nr_written;

static void show(size_t start, size_t end)
{
	__asan_unpoison_memory_region(memory + start, end - start);
	if (nr_shown < RANGES_MAX)
		shown[nr_shown++] = (struct range){ start, end };
}

void physmem_reset(void)
{
	if (!memory) {
		memory = mmap(NULL, PHYSMEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			      -1, 0);
		if (memory == MAP_FAILED)
			abort();
		__asan_poison_memory_region(memory, PHYSMEM_SIZE);
	}
	for (unsigned i = 0; i < nr_written; i++) {
		__asan_unpoison_memory_region(memory + written[i].start, written[i].end - written[i].start);
		memset(memory + written[i].start, 0, written[i].end - written[i].start);
		__asan_poison_memory_region(memory + written[i].start, written[i].end - written[i].start);
	}
	if (nr_shown == RANGES_MAX)
		__asan_poison_memory_region(memory, PHYSMEM_SIZE);
	for (unsigned i = 0; i < nr_shown; i++)
		__asan_poison_memory_region(memory + shown[i].start, shown[i].end - shown[i].start);
	nr_shown = nr_written = 0;
	arch_layout.physmap_base = (uintptr_t)memory;
	arch_layout.image_phys = PHYSMEM_IMAGE;
	arch_layout.image_len = PHYSMEM_IMAGE_LEN;
}

__attribute__((no_sanitize("address"))) static void copy(uint8_t *dst, const uint8_t *src, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((volatile uint8_t *)dst)[i] = src[i];
}

bool physmem_write(paddr_t pa, const void *data, size_t len)
{
	if (pa >= PHYSMEM_SIZE || len > PHYSMEM_SIZE - pa || nr_written == RANGES_MAX)
		return false;
	written[nr_written++] = (struct range){ pa & ~7ul, (pa + len + 7) & ~7ul };
	copy(memory + pa, data, len);
	return true;
}

void physmem_read(void *data, paddr_t pa, size_t len)
{
	copy(data, memory + pa, len);
}

paddr_t physmem_load(const uint8_t *records, size_t len)
{
	paddr_t first = 0;
	uint32_t head[2];

	while (len >= sizeof(head)) {
		memcpy(head, records, sizeof(head));
		records += sizeof(head);
		len -= sizeof(head);
		if (head[1] > len)
			head[1] = (uint32_t)len;
		if (!first)
			first = head[0];
		physmem_write(head[0], records, head[1]);
		records += head[1];
		len -= head[1];
	}
	return first;
}

uint8_t *physmem_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(1 << 20);

	if (!file || !data) {
		perror(path);
		exit(1);
	}
	*len = fread(data, 1, 1 << 20, file);
	fclose(file);
	return data;
}

void *arch_physmap_add(paddr_t pa, size_t len)
{
	if (pa < PHYSMEM_IMAGE + PHYSMEM_IMAGE_LEN && pa + len > PHYSMEM_IMAGE) {
		fprintf(stderr, "physmem: 0x%lx+0x%zx touches the kernel's image\n", pa, len);
		abort();
	}
	if (pa >= PHYSMEM_SIZE || len > PHYSMEM_SIZE - pa)
		return NULL;
	show(pa & ~7ul, pa + len);
	return memory + pa;
}

paddr_t arch_phys_limit(void)
{
	return PHYSMEM_LIMIT;
}
