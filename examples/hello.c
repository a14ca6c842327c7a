/* The smallest program: prints a line and ends with status 0. */
#include "kernel/core/log.h"

int main(void)
{
	static const char text[] = "hello from main\n";

	log_raw(text, sizeof(text) - 1);
	return 0;
}
