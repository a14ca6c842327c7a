/* Checksums of file formats. */
#ifndef LIB_CHECKSUM_H
#define LIB_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32C (RFC 3720, 12.1: polynomial 0x1edc6f41, reflected), bits as they are: begin with CRC UINT32_MAX, go on with what the
 * last call returned, and invert the end where the format says so.
 */
uint32_t crc32c(uint32_t crc, const void *buf, size_t len);

#endif
