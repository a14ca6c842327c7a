/* Lines from the console, by interrupt, printed back. "end" ends it. */
#include <stdbool.h>

#include "kernel/core/wait.h"
#include "kernel/dev/console.h"
#include "lib/string.h"
#include "lib/util.h"

static struct wait_queue arrived = WAIT_QUEUE_INIT(arrived);
static char ring[4096];
static unsigned nr_in, nr_out; /* nr_in: written by the interrupt handler; free-running */

static void input(struct console *console, const char *bytes, size_t len)
{
	unsigned at = nr_in;

	(void)console;
	for (size_t i = 0; i < len && at - __atomic_load_n(&nr_out, __ATOMIC_ACQUIRE) < sizeof(ring); i++)
		ring[at++ % sizeof(ring)] = bytes[i];
	__atomic_store_n(&nr_in, at, __ATOMIC_RELEASE);
	wait_wake(&arrived, 1);
}

static char next_byte(void)
{
	char byte;

	wait_event(&arrived, __atomic_load_n(&nr_in, __ATOMIC_ACQUIRE) != nr_out);
	byte = ring[nr_out % sizeof(ring)];
	__atomic_store_n(&nr_out, nr_out + 1, __ATOMIC_RELEASE);
	return byte;
}

static size_t line_read(char *line, size_t size)
{
	size_t len = 0;
	char byte;

	while ((byte = next_byte()) != '\n' && len < size - 1)
		if (byte != '\r')
			line[len++] = byte;
	line[len] = '\0';
	return len;
}

static void say(const char *text)
{
	log_raw(text, strlen(text));
}

int main(void)
{
	struct console *console = console_first();
	char line[1024];

	if (!console || !console->input_start)
		return 2;
	console->input = input;
	if (console->input_start(console) != 0)
		return 3;
	say("ready on ");
	say(console->sink.name);
	say("\n");
	do {
		line_read(line, sizeof(line));
		say("echo: ");
		say(line);
		say("\n");
	} while (strcmp(line, "end") != 0);
	return 0;
}
