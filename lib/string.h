/*
 * The freestanding part of <string.h>: same names, arguments and results as ISO C (C17 7.24) and POSIX strnlen. GCC and
 * clang emit calls of the first four on their own. strlcpy is the BSD one: copies at most SIZE-1 bytes, always
 * terminates when SIZE > 0, returns strlen(SRC).
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
void *memchr(const void *s, int byte, size_t len);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t len);
char *strchr(const char *s, int c);
size_t strlcpy(char *restrict dst, const char *restrict src, size_t size);

#endif
