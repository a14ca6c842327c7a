/* The loader's order of work: copy what the machine said, load the image, leave for it. */
#include "test/boot/loader/loader.h"

static struct machine machine;

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

void say(const char *text)
{
	while (*text)
		out8(0x3f8, (uint8_t)*text++);
}

_Noreturn void fail(const char *why)
{
	say("loader: ");
	say(why);
	say("\n");
	out8(0xf4, 125);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void *memcpy(void *dst, const void *src, size_t len)
{
	void *to = dst;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(src), "+c"(len)::"memory");
	return dst;
}

void *memset(void *dst, int byte, size_t len)
{
	void *to = dst;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(len) : "a"(byte) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const unsigned char *left = a, *right = b;

	for (; len; len--, left++, right++)
		if (*left != *right)
			return *left - *right;
	return 0;
}

size_t strlen(const char *text)
{
	size_t len = 0;

	while (text[len])
		len++;
	return len;
}

/* What follows OPTION where a word of the loader's command line begins with it; NULL when none does. */
static const char *option_find(const struct machine *m, const char *option)
{
	size_t len = strlen(option);

	for (const char *at = m->options; *at; at++) {
		bool begins = at == m->options || at[-1] == ' ';

		if (begins && strlen(at) >= len && memcmp(at, option, len) == 0)
			return at + len;
	}
	return NULL;
}

bool option_is_set(const struct machine *m, const char *option)
{
	const char *end = option_find(m, option);

	return end && (*end == ' ' || !*end);
}

uint64_t option_number(const struct machine *m, const char *option, uint64_t otherwise)
{
	const char *at = option_find(m, option);
	uint64_t value = 0;

	if (!at)
		return otherwise;
	for (; *at && *at != ' '; at++)
		value = value << 4 | (uint64_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
	return value;
}

/* Cuts the loader's command line at " -- ". QEMU may put its own words before ours; they do no harm. */
static void split_cmdline(const char *text)
{
	size_t len = strlen(text), cut = 0;

	if (len >= TEXT_MAX)
		fail("command line too long");
	while (cut < len && !(text[cut] == '-' && text[cut + 1] == '-' && text[cut + 2] == ' '))
		cut++;
	memcpy(machine.options, text, cut);
	if (cut < len)
		memcpy(machine.cmdline, text + cut + 3, len - cut - 3);
}

static void read_start_info(const struct start_info *info)
{
	const struct start_info_module *module = (const void *)(uintptr_t)info->modules;

	if (info->magic != START_INFO_MAGIC || info->version < 1)
		fail("no PVH start info of version 1");
	if (!info->nr_modules)
		fail("no image: give it as -initrd");
	if (!info->nr_memory || info->nr_memory > MEMORY_MAX)
		fail("memory map empty or too long");
	machine.rsdp = info->rsdp;
	machine.module = module->base;
	machine.module_len = module->len;
	machine.nr_memory = info->nr_memory;
	memcpy(machine.memory, (const void *)(uintptr_t)info->memory, info->nr_memory * sizeof(*machine.memory));
	if (info->cmdline)
		split_cmdline((const char *)(uintptr_t)info->cmdline);
}

_Noreturn void loader_main(const struct start_info *info);
_Noreturn void loader_main(const struct start_info *info)
{
	struct elf_image image;

	read_start_info(info);
	image = elf_load(&machine);
	machine.rsdp = option_number(&machine, "rsdp=", machine.rsdp);
	if (!option_is_set(&machine, "mode=pvh"))
		boot_linux64(&machine, image.entry);
	if (!image.pvh_entry)
		fail("the image has no PVH entry note");
	boot_pvh(&machine, image.pvh_entry);
}
