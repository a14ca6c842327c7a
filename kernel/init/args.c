#include "kernel/init/args.h"

#include "kernel/boot/bootinfo.h"
#include "kernel/core/log.h"
#include "lib/cmdline.h"
#include "lib/string.h"

static char text[BOOTINFO_CMDLINE_MAX];
static char *argv[ARGS_MAX + 1];

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Ends the word at WORD in place, its quotes removed; returns what follows it. */
static char *word_end(char *word)
{
	bool quoted = false;
	char *to = word;

	for (; *word && (quoted || !is_space(*word)); word++) {
		if (*word == '"')
			quoted = !quoted;
		else
			*to++ = *word;
	}
	if (*word)
		word++;
	*to = '\0';
	return word;
}

/* QEMU's microvm without ACPI appends its devices to whatever command line it is given. They are not the program's. */
static bool is_monitors(const char *word)
{
	static const char option[] = "virtio_mmio.device=";

	return strncmp(word, option, sizeof(option) - 1) == 0;
}

void args_parse(struct args *args, const char *cmdline)
{
	static char name[] = "main";
	char *at = text;

	argv[0] = name;
	args->argc = 1;
	args->argv = argv;
	cmdline = cmdline_program(cmdline);
	if (!*cmdline)
		return;
	strlcpy(text, cmdline, sizeof(text));
	for (;;) {
		while (is_space(*at))
			at++;
		if (!*at)
			break;
		if (args->argc == ARGS_MAX) {
			log_warn("command line: more than %d arguments, dropped from \"%s\" on", ARGS_MAX, at);
			break;
		}
		argv[args->argc] = at;
		at = word_end(at);
		if (!is_monitors(argv[args->argc]))
			args->argc++;
	}
	argv[args->argc] = NULL;
}
