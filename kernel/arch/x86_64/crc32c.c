/* CRC-32C by the CPU's own instruction where it has one (SSE4.2; Intel SDM vol. 2A, CRC32), which needs no SSE register. */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpuid.h"
#include "lib/checksum.h"

static inline uint64_t crc_word(uint64_t crc, const uint8_t *bytes)
{
	__asm__("crc32q %1, %0" : "+r"(crc) : "m"(*(const uint64_t *)(const void *)bytes));
	return crc;
}

uint32_t arch_crc32c(uint32_t crc, const void *buf, size_t len)
{
	const uint8_t *bytes = buf;
	uint64_t value = crc;

	if (!(cpuid_1_ecx() & CPUID_1_ECX_SSE42))
		return crc32c(crc, buf, len);
	for (; len >= 32; len -= 32, bytes += 32) {
		value = crc_word(value, bytes);
		value = crc_word(value, bytes + 8);
		value = crc_word(value, bytes + 16);
		value = crc_word(value, bytes + 24);
	}
	for (; len >= 8; len -= 8, bytes += 8)
		value = crc_word(value, bytes);
	for (; len; len--, bytes++)
		__asm__("crc32b %1, %0" : "+r"(value) : "m"(*bytes));
	return (uint32_t)value;
}
