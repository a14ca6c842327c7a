#include "kernel/mem/user.h"

#include "lib/errno.h"

/* Until somebody says otherwise: that of a program that was loaded. */
uintptr_t user_end = 0x7ffffffff000ul;

int user_read(void *dst, const void *user_src, size_t len)
{
	if (unlikely(!user_range_is_valid(user_src, len)))
		return -EFAULT;
	return likely(!arch_copy_checked(dst, user_src, len)) ? 0 : -EFAULT;
}

int user_write(void *user_dst, const void *src, size_t len)
{
	if (unlikely(!user_range_is_valid(user_dst, len)))
		return -EFAULT;
	return likely(!arch_copy_checked(user_dst, src, len)) ? 0 : -EFAULT;
}

int user_clear(void *user_dst, size_t len)
{
	if (unlikely(!user_range_is_valid(user_dst, len)))
		return -EFAULT;
	return likely(!arch_clear_checked(user_dst, len)) ? 0 : -EFAULT;
}

ssize_t user_read_string(char *dst, const char *user_src, size_t size)
{
	size_t room = (uintptr_t)user_src < user_end ? user_end - (uintptr_t)user_src : 0;
	ssize_t len = arch_copy_string_checked(dst, user_src, MIN(size, room));

	if (len < 0 || (size_t)len < MIN(size, room))
		return len;
	return room < size ? -EFAULT : -ENAMETOOLONG;
}

int user_load32(const uint32_t *user_word, uint32_t *value)
{
	return user_range_is_valid(user_word, sizeof(*user_word)) ? arch_load32_checked(user_word, value) : -EFAULT;
}

int user_store32(uint32_t *user_word, uint32_t value)
{
	return user_range_is_valid(user_word, sizeof(*user_word)) ? arch_store32_checked(user_word, value) : -EFAULT;
}

int user_cmpxchg32(uint32_t *user_word, uint32_t expected, uint32_t desired, uint32_t *seen)
{
	if (!user_range_is_valid(user_word, sizeof(*user_word)))
		return -EFAULT;
	return arch_cmpxchg32_checked(user_word, expected, desired, seen);
}
