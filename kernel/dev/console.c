#include "kernel/dev/console.h"

#include <stdbool.h>

#include "lib/cmdline.h"
#include "lib/string.h"

#define NAME_MAX 32 /* with what follows a comma */

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

static bool is_registered(const char *name)
{
	for (struct console *console = consoles; console; console = console->next)
		if (strcmp(console->sink.name, name) == 0)
			return true;
	return false;
}

static void probe_named(const char *name)
{
	if (is_registered(name))
		return;
	for (const struct console_driver *driver = consoles_start; driver < consoles_end; driver++)
		if (strcmp(driver->name, name) == 0)
			console_probe(driver);
}

static void probe_cmdline(const char *cmdline)
{
	char name[NAME_MAX], *comma;

	while (cmdline_next(&cmdline, "console", name, sizeof(name))) {
		comma = strchr(name, ',');
		if (comma)
			*comma = '\0';
		probe_named(name);
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
