/* Any text as a command line: what comes out is terminated, comes from the line, and the walk ends. */
#include <stdlib.h>
#include <string.h>

#include "lib/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const keys[] = { "a", "loglevel", "" };
	char *line = malloc(len + 1), value[16];
	uint64_t number = 0;

	memcpy(line, data, len);
	line[len] = '\0';
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *at = line, *before = at;

		for (; cmdline_next(&at, keys[i], value, sizeof(value)); before = at) {
			check(at > before && at <= line + len);
			check(strnlen(value, sizeof(value)) < sizeof(value) && strstr(line, value));
			parse_u64(value, &number);
		}
		cmdline_get(line, keys[i], value, 1);
	}
	check(cmdline_program(line) >= line && cmdline_program(line) <= line + len);
	parse_u64(line, &number);
	free(line);
	return 0;
}
