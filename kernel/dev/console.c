#include "kernel/dev/console.h"

#include <stdbool.h>

#include "lib/string.h"
#include "lib/util.h"

extern const struct console_driver consoles_start[], consoles_end[];

static struct console *consoles; /* written at boot only */

void console_register(struct console *console)
{
	console->next = consoles;
	consoles = console;
	log_sink_register(&console->sink);
}

struct console *console_first(void)
{
	return consoles;
}

static bool console_probe(const struct console_driver *driver)
{
	struct console *console = driver->probe();

	if (console)
		console_register(console);
	return console != NULL;
}

static bool is_registered(const char *name, size_t len)
{
	for (struct console *console = consoles; console; console = console->next)
		if (strlen(console->sink.name) == len && memcmp(console->sink.name, name, len) == 0)
			return true;
	return false;
}

static void probe_named(const char *name, size_t len)
{
	if (is_registered(name, len))
		return;
	for (const struct console_driver *driver = consoles_start; driver < consoles_end; driver++)
		if (strlen(driver->name) == len && memcmp(driver->name, name, len) == 0)
			console_probe(driver);
}

/* Its own scan, since the options of a command line are parsed later, when there is a console to complain on. */
static void probe_cmdline(const char *cmdline)
{
	static const char option[] = "console=";

	while (*cmdline) {
		if (strncmp(cmdline, option, sizeof(option) - 1) == 0) {
			const char *name = cmdline + sizeof(option) - 1;
			size_t len = 0;

			while (name[len] && name[len] != ' ' && name[len] != ',')
				len++;
			probe_named(name, len);
		}
		while (*cmdline && *cmdline != ' ')
			cmdline++;
		while (*cmdline == ' ')
			cmdline++;
	}
}

static void probe_best(void)
{
	unsigned below = ~0u;

	for (;;) {
		const struct console_driver *best = NULL;

		for (const struct console_driver *driver = consoles_start; driver < consoles_end; driver++)
			if (driver->rating < below && (!best || driver->rating > best->rating))
				best = driver;
		if (!best || console_probe(best))
			return;
		below = best->rating;
	}
}

void console_init(const char *cmdline)
{
	probe_cmdline(cmdline);
	if (!consoles)
		probe_best();
}
