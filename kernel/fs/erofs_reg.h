/*
 * EROFS on disk (Linux fs/erofs/erofs_fs.h, Documentation/filesystems/erofs.rst). Little-endian; nothing is aligned to more
 * than 4 bytes.
 */
#ifndef KERNEL_FS_EROFS_REG_H
#define KERNEL_FS_EROFS_REG_H

#include <stdint.h>

#define EROFS_SUPER_OFFSET 1024
#define EROFS_MAGIC 0xe0f5e1e2u
#define EROFS_BLOCK_SHIFT 12
#define EROFS_BLOCK_SIZE 4096u
#define EROFS_NODE_SLOT 32 /* a node's number counts these from the start of the metadata area */

struct erofs_super {
	uint32_t magic;
	uint32_t checksum; /* CRC-32C, not inverted, from here to the end of the block, this field taken as 0 */
	uint32_t feature_compat;
	uint8_t block_shift;
	uint8_t extra_slots;
	uint16_t root_nid;
	uint64_t inos;
	uint64_t build_time;
	uint32_t build_time_nsec;
	uint32_t blocks;
	uint32_t meta_block;
	uint32_t xattr_block;
	uint8_t uuid[16];
	uint8_t volume_name[16];
	uint32_t feature_incompat;
	uint16_t compression; /* lz4: the largest distance of a match; with COMPR_CFGS: a bit for each algorithm */
	uint16_t extra_devices;
	uint16_t devt_slot;
	uint8_t dir_block_shift; /* added to block_shift */
	uint8_t xattr_prefix_count;
	uint32_t xattr_prefix_start;
	uint64_t packed_nid;
	uint8_t reserved[24];
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_super) == 128, "as on disk");

#define EROFS_COMPAT_CHECKSUM 1u

#define EROFS_INCOMPAT_LZ4_0PADDING 0x1u /* compressed data ends, not begins, where its block does */
#define EROFS_INCOMPAT_COMPR_CFGS 0x2u	 /* also: clusters of more than one block */
#define EROFS_INCOMPAT_CHUNKED 0x4u
#define EROFS_INCOMPAT_DEVICE_TABLE 0x8u
#define EROFS_INCOMPAT_ZTAILPACKING 0x10u
#define EROFS_INCOMPAT_FRAGMENTS 0x20u
#define EROFS_INCOMPAT_XATTR_PREFIXES 0x40u
#define EROFS_INCOMPAT_48BIT 0x80u
#define EROFS_INCOMPAT_METABOX 0x100u

/* Of struct erofs_node_*.format: bit 0 says which of the two it is. */
#define EROFS_NODE_EXTENDED 1u
#define EROFS_NODE_LAYOUT(format) ((format) >> 1 & 7)

enum erofs_layout {
	EROFS_PLAIN = 0,
	EROFS_COMPRESSED_FULL = 1,
	EROFS_INLINE = 2, /* the last, incomplete block follows the node */
	EROFS_COMPRESSED_COMPACT = 3,
	EROFS_CHUNKED = 4,
};

struct erofs_node_compact {
	uint16_t format;
	uint16_t xattr_count;
	uint16_t mode;
	uint16_t nlink;
	uint32_t size;
	uint32_t reserved;
	uint32_t data; /* as in struct erofs_node_extended */
	uint32_t ino;
	uint16_t uid, gid;
	uint32_t reserved2;
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_node_compact) == 32, "as on disk");

struct erofs_node_extended {
	uint16_t format;
	uint16_t xattr_count;
	uint16_t mode;
	uint16_t reserved;
	uint64_t size;
	uint32_t data; /* first block, device number, or EROFS_CHUNK_* */
	uint32_t ino;
	uint32_t uid, gid;
	uint64_t mtime;
	uint32_t mtime_nsec;
	uint32_t nlink;
	uint8_t reserved2[16];
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_node_extended) == 64, "as on disk");

/* Chunked files: behind node and attributes, aligned to its size, an entry for each chunk: a block number, or the index. */
#define EROFS_CHUNK_SHIFT(data) ((data)&31) /* added to block_shift */
#define EROFS_CHUNK_INDEXED 0x20u
#define EROFS_CHUNK_KNOWN 0x3fu
#define EROFS_CHUNK_HOLE UINT32_MAX

struct erofs_chunk_index {
	uint16_t advise;
	uint16_t device;
	uint32_t block;
} __attribute__((packed));

/*
 * A block of a directory: the entries, then their names in the same order; all names of a directory are sorted. A name ends
 * where the next one begins, the last at a NUL or the end of the block.
 */
struct erofs_dirent {
	uint64_t nid;
	uint16_t name_off; /* in the block; the first one tells how many entries there are */
	uint8_t type;	   /* enum erofs_type */
	uint8_t reserved;
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_dirent) == 12, "as on disk");

/*
 * Attributes behind a node, xattr_count > 0: this header, the numbers of shared attributes (4-byte units from the start of
 * the shared area), then entries of its own. In all 12 + 4 * (xattr_count - 1) bytes.
 */
struct erofs_xattr_header {
	uint32_t name_filter;
	uint8_t shared_count;
	uint8_t reserved[7];
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_xattr_header) == 12, "as on disk");

struct erofs_xattr_entry {
	uint8_t name_len;
	uint8_t name_index; /* which prefix */
	uint16_t value_len;
	/* name, value; the next entry begins at a multiple of 4 */
} __attribute__((packed));

#endif
