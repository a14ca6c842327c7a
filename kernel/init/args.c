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

void args_parse(struct args *args, const char *cmdline)
{
	static char name[] = "main";
	char *at = text;

	strlcpy(text, cmdline_program(cmdline), sizeof(text));
	argv[0] = name;
	args->argc = 1;
	args->argv = argv;
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
