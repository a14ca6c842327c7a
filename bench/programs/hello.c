/* The least program that anybody would call one. */
#include <stdio.h>

int main(void)
{
	puts("hello from a program");
	return 0;
}
