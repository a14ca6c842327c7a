/*
 * Copying and comparing bytes. Guest instructions are what boot time is measured in: bulk goes through REP MOVSQ and REP
 * STOSQ, what is left and what is short through two moves that overlap. All loads of a short copy come before its stores,
 * so the forward copy also serves memmove.
 *
 * The loops hold a barrier() so that no compiler takes one for an idiom and replaces it by a call of the function itself.
 */
#include "lib/string.h"

#include "lib/util.h"

/* Any address, any type of object behind it. */
struct word64 {
	uint64_t v;
} __attribute__((packed, may_alias));
struct word32 {
	uint32_t v;
} __attribute__((packed, may_alias));
struct word16 {
	uint16_t v;
} __attribute__((packed, may_alias));

#define W64(p, off) (((struct word64 *)((uintptr_t)(p) + (off)))->v)
#define W32(p, off) (((struct word32 *)((uintptr_t)(p) + (off)))->v)
#define W16(p, off) (((struct word16 *)((uintptr_t)(p) + (off)))->v)

/* LEN < 8. */
static inline void copy_short(uint8_t *d, const uint8_t *s, size_t len)
{
	if (len >= 4) {
		uint32_t head = W32(s, 0), tail = W32(s, len - 4);

		W32(d, 0) = head;
		W32(d, len - 4) = tail;
	} else if (len >= 2) {
		uint16_t head = W16(s, 0), tail = W16(s, len - 2);

		W16(d, 0) = head;
		W16(d, len - 2) = tail;
	} else if (len) {
		*d = *s;
	}
}

/* Right when DST is below SRC or they do not overlap. */
static inline void copy_forward(void *dst, const void *src, size_t len)
{
	uint64_t tail, words;
	void *d = dst;

	if (len < 8) {
		copy_short(dst, src, len);
		return;
	}
	tail = W64(src, len - 8);
	if (len <= 16) {
		uint64_t head = W64(src, 0);

		W64(dst, 0) = head;
		W64(dst, len - 8) = tail;
		return;
	}
	words = (len - 1) / 8;
	__asm__ volatile("rep movsq" : "+D"(d), "+S"(src), "+c"(words)::"memory");
	W64(dst, len - 8) = tail;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
	copy_forward(dst, src, len);
	return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
	uint64_t head;

	if ((uintptr_t)dst - (uintptr_t)src >= len || len < 8) {
		copy_forward(dst, src, len);
		return dst;
	}
	head = W64(src, 0);
	while (len > 8) {
		len -= 8;
		W64(dst, len) = W64(src, len);
		barrier();
	}
	W64(dst, 0) = head;
	return dst;
}

void *memset(void *dst, int byte, size_t len)
{
	uint64_t fill = (uint8_t)byte * 0x0101010101010101ull, words;
	void *d = dst;

	if (len >= 8) {
		W64(dst, len - 8) = fill;
		words = (len - 1) / 8;
		__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(fill) : "memory");
	} else if (len >= 4) {
		W32(dst, 0) = (uint32_t)fill;
		W32(dst, len - 4) = (uint32_t)fill;
	} else if (len) {
		uint8_t *bytes = dst;

		bytes[0] = bytes[len / 2] = bytes[len - 1] = (uint8_t)byte;
	}
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const uint8_t *x = a, *y = b;

	for (; len >= 8 && W64(x, 0) == W64(y, 0); len -= 8, x += 8, y += 8)
		barrier();
	for (; len; len--, x++, y++) {
		barrier();
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

void *memchr(const void *s, int byte, size_t len)
{
	const uint8_t *p = s;

	for (; len; len--, p++) {
		barrier();
		if (*p == (uint8_t)byte)
			return (void *)(uintptr_t)p;
	}
	return NULL;
}

size_t strnlen(const char *s, size_t max)
{
	size_t len = 0;

	while (len < max && s[len]) {
		len++;
		barrier();
	}
	return len;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t len)
{
	for (; len; len--, a++, b++) {
		barrier();
		if (*a != *b || !*a)
			return (uint8_t)*a - (uint8_t)*b;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		barrier();
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

size_t strlcpy(char *restrict dst, const char *restrict src, size_t size)
{
	size_t len = strlen(src), copy;

	if (size) {
		copy = MIN(len, size - 1);
		memcpy(dst, src, copy);
		dst[copy] = '\0';
	}
	return len;
}
