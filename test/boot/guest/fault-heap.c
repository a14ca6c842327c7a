/*
 * Misuses memory in the way that its argument names (`-- overrun`), which the allocators must notice: some of it in every
 * build, the rest in debug builds. Ends with status 1 when nobody noticed.
 */
#include "kernel/core/log.h"
#include "kernel/mem/page.h"
#include "kernel/mem/slab.h"
#include "lib/string.h"
#include "lib/util.h"

/* Addresses go through here, so that the compiler cannot see what is done to them. */
static char *hide(void *address)
{
	__asm__("" : "+r"(address));
	return address;
}

static void free_in_a_row(void)
{
	char *object = hide(kmalloc(100));

	kfree(object);
	kfree(hide(object));
}

static void free_pages_twice(void)
{
	struct page *page = page_alloc(0, 0);

	page_free(page, 0);
	page_free(page, 0);
}

static void free_pages_within(void)
{
	kfree(hide(kmalloc(8192)) + 16);
}

static void free_link_damaged(void)
{
	char *objects[40];

	for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = hide(kmalloc(100));
	for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
		kfree(objects[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
		memset(hide(objects[i]), 0x41, 16);
	for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
		hide(kmalloc(100));
}

static void overrun(void)
{
	char *object = hide(kmalloc(50));

	object[50] = 1;
	kfree(object);
}

static void use_after_free(void)
{
	char *object = hide(kmalloc(100));

	kfree(object);
	hide(object)[20] = 1;
	for (unsigned i = 0; i < 64; i++)
		hide(kmalloc(100));
}

static void free_inside(void)
{
	kfree(hide(kmalloc(100)) + 16);
}

/* Not in a row, which every build would notice. */
static void free_twice(void)
{
	char *object = hide(kmalloc(100)), *other = hide(kmalloc(100));

	kfree(object);
	kfree(other);
	kfree(hide(object));
}

static const struct {
	const char *name;
	void (*fn)(void);
} kinds[] = {
	{ "free-in-a-row", free_in_a_row },
	{ "free-pages-twice", free_pages_twice },
	{ "free-pages-within", free_pages_within },
	{ "free-link-damaged", free_link_damaged },
	{ "overrun", overrun },
	{ "use-after-free", use_after_free },
	{ "free-inside", free_inside },
	{ "free-twice", free_twice },
};

int main(int argc, char **argv)
{
	for (unsigned i = 0; argc > 1 && i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(argv[1], kinds[i].name) == 0)
			kinds[i].fn();
	}
	log_err("nobody noticed");
	return 1;
}
