#include "kernel/init/args.h"

#include "kernel/boot/bootinfo.h"
#include "kernel/core/log.h"
#include "kernel/dev/firmware/firmware.h"
#include "lib/cmdline.h"
#include "lib/string.h"

static char text[BOOTINFO_CMDLINE_MAX];
static char *argv[ARGS_MAX + 1];

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* A backslash gives a quote or a backslash behind it as it is; before anything else it is itself. */
static bool is_escape(const char *at)
{
	return *at == '\\' && (at[1] == '"' || at[1] == '\\');
}

/* Ends the word at WORD in place, its quotes removed; returns what follows it. */
static char *word_end(char *word)
{
	bool quoted = false;
	char *to = word;

	for (; *word && (quoted || !is_space(*word)); word++) {
		if (is_escape(word))
			*to++ = *++word;
		else if (*word == '"')
			quoted = !quoted;
		else
			*to++ = *word;
	}
	if (*word)
		word++;
	*to = '\0';
	return word;
}

static bool is_device(const char *word)
{
	static const char option[] = "virtio_mmio.device=";

	return strncmp(word, option, sizeof(option) - 1) == 0 && !strchr(word, '"');
}

/*
 * A monitor without ACPI tables (QEMU's microvm with acpi=off) names its devices at the end of whatever command line it is
 * given. They are not the program's; what stands before its last word is.
 */
static void devices_cut(char *line)
{
	size_t len = strlen(line), start;

	for (;;) {
		while (len && is_space(line[len - 1]))
			len--;
		for (start = len; start && !is_space(line[start - 1]); start--)
			;
		if (!is_device(line + start) || firmware_has_acpi())
			return;
		line[start] = '\0';
		len = start;
	}
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
	devices_cut(text);
	for (;;) {
		while (is_space(*at))
			at++;
		if (!*at)
			break;
		if (args->argc == ARGS_MAX) {
			log_warn("command line: more than %d arguments, dropped from \"%s\" on", ARGS_MAX, at);
			break;
		}
		argv[args->argc++] = at;
		at = word_end(at);
	}
	argv[args->argc] = NULL;
}
