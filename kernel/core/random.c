/*
 * The generator. Two stages:
 *
 *   inputs -> pool (4 words, stirred)  -> key -> ChaCha20 blocks -> buffer of a CPU -> readers
 *
 * The pool takes inputs at the price of a few instructions a word. Stirring is a bijection of a pool word for any fixed
 * input, and of the input for any fixed pool word; so what is unpredictable in either stays so, up to the 64 bits of the
 * word, and an input that an adversary chose takes nothing away. It is no hash: it need not be, since only the key that
 * ChaCha20 makes of it is ever used, and the pool's owner never shows it.
 *
 * The key is replaced by the first 32 bytes of every run of blocks, the rest is output (fast key erasure): who learns the
 * state later cannot go back to what was read before. Bytes in a buffer are wiped as they are handed out.
 *
 * What is credited towards the 256 bits that the first read needs: RDSEED and RDRAND in full, the loader's seed in full (the
 * hypervisor can read all our memory anyway), what random_add_trusted gets, and one bit for each timing sample that
 * jitter_collect accepts. arch_boot_noise is mixed in and credited with nothing.
 */
#include "kernel/core/random.h"

#include "kernel/arch/arch.h"
#include "kernel/core/lock.h"
#include "kernel/core/panic.h"
#include "lib/chacha20.h"
#include "lib/string.h"
#include "lib/util.h"

#define POOL_WORDS 4
#define SEED_BITS 256u
#define JITTER_TRIES 4096u /* samples before a machine counts as one that has no jitter */
#define JITTER_HISTORY 8
#define JITTER_PORT 0x80 /* POST code port of the PC: reading it has no effect, and leaves the CPU */

/* A reader that wants more than this gets blocks of its own. Two blocks less the key. */
#define BUFFER_LEN (2 * CHACHA20_BLOCK_LEN - CHACHA20_KEY_LEN)

struct buffer {
	uint8_t bytes[BUFFER_LEN];
	unsigned left; /* unread bytes, at the end */
	bool seeded;   /* they were made after the seed was complete */
};

/* Interrupts disabled while it is used. */
static PERCPU(struct buffer, random_buffer);

/* Covers everything below. Taken with interrupts disabled; a leaf: nothing else is taken under it. */
static struct spinlock random_lock = SPINLOCK_INIT("random");
static uint64_t pool[POOL_WORDS];
static unsigned pool_next;
static unsigned credit; /* bits, until the seed is complete */
static uint64_t key[POOL_WORDS];
static bool initialised, seeded;
static bool begun; /* the pool holds what seed_begin collects */

/* The compiler must not drop it although nothing reads the memory afterwards. */
static void wipe(void *secret, size_t len)
{
	memset(secret, 0, len);
	barrier();
}

/* The factor is odd, so each step can be undone: see above. It is 2^64 divided by the golden ratio. */
static inline void stir_word(uint64_t input)
{
	uint64_t *word = &pool[pool_next++ % POOL_WORDS];
	uint64_t x = (*word ^ input) * 0x9e3779b97f4a7c15ull;

	*word = x << 29 | x >> 35;
}

static void stir(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint64_t word;

	for (; len; bytes += MIN(len, sizeof(word)), len -= MIN(len, sizeof(word))) {
		word = 0;
		memcpy(&word, bytes, MIN(len, sizeof(word)));
		stir_word(word);
	}
}

static void credit_bytes(size_t len)
{
	credit = len < SEED_BITS / 8 ? MIN(credit + (unsigned)len * 8, SEED_BITS) : SEED_BITS;
}

/*
 * Timing jitter: how long it takes to empty the TLB, and to leave the CPU for a port and come back. Under a hypervisor that
 * is an exit into another program, on a machine with caches, other work and a clock of its own; under an emulator it is
 * the rebuilding of its own tables. Measured under QEMU 7.2's emulation, whose counter moved in steps of 26: 2.2 to 2.9
 * bits of min-entropy for each sample, and the samples before it predict no better than the most frequent value does (a
 * port alone gave next to nothing there: a beat of the loop against the counter's steps, nineteen in twenty predicted).
 *
 * Claimed is one bit, and only for a sample that differs from each of the eight before it: about one in three. The timed part
 * is straight code, always the same instructions; so on a machine whose time is a function of the instructions executed all
 * samples are the same, and it is refused.
 */
static void jitter_collect(void)
{
	uint64_t history[JITTER_HISTORY] = { 0 };

	for (unsigned i = 0; i < JITTER_TRIES && credit < SEED_BITS; i++) {
		uint64_t start = arch_ticks(), now, delta;
		bool known = false;

		arch_tlb_flush(0, SIZE_MAX);
		arch_in8(JITTER_PORT);
		now = arch_ticks();
		delta = now - start;
		stir_word(now ^ delta << 40);
		for (unsigned j = 0; j < JITTER_HISTORY; j++)
			known |= history[j] == delta;
		history[i % JITTER_HISTORY] = delta;
		credit += !known;
	}
}

static const uint32_t no_nonce[3];

/* The pool goes into the key; NR_BLOCKS blocks come out, the first half block of which is the next key. */
static void generate(uint8_t *blocks, uint32_t nr_blocks)
{
	for (unsigned i = 0; i < POOL_WORDS; i++)
		key[i] ^= pool[i];
	for (uint32_t i = 0; i < nr_blocks; i++)
		chacha20_block((const uint32_t *)key, i, no_nonce, blocks + i * CHACHA20_BLOCK_LEN);
	memcpy(key, blocks, sizeof(key));
}

/* What was taken before relocation, and the CPU's own random numbers. Once, before the first block. */
static void __attribute__((cold, noinline)) seed_begin(void)
{
	uint64_t hw[POOL_WORDS];
	size_t got;

	if (!initialised)
		panic("random numbers are read before random_init");
	got = arch_random_hw(hw, sizeof(hw));
	stir(arch_boot_noise, sizeof(arch_boot_noise));
	wipe(arch_boot_noise, sizeof(arch_boot_noise));
	stir(hw, got);
	wipe(hw, sizeof(hw));
	credit_bytes(got);
	begun = true;
}

static void __attribute__((cold, noinline)) seed_complete(void)
{
	jitter_collect();
	if (credit < SEED_BITS)
		panic("no entropy to seed random numbers: no RDRAND, no seed from the loader, and time has no jitter "
		      "(%u of %u bits); give the guest a CPU with RDRAND",
		      credit, SEED_BITS);
	seeded = true;
}

/* Interrupts disabled. */
static void buffer_refill(struct buffer *buffer, bool need_seed)
{
	uint8_t blocks[2 * CHACHA20_BLOCK_LEN];
	unsigned long flags = spin_lock_irqsave(&random_lock);

	if (unlikely(!begun))
		seed_begin();
	if (unlikely(!seeded) && (need_seed || credit == SEED_BITS))
		seed_complete();
	buffer->seeded = seeded;
	generate(blocks, 2);
	spin_unlock_irqrestore(&random_lock, flags);
	memcpy(buffer->bytes, blocks + CHACHA20_KEY_LEN, BUFFER_LEN);
	buffer->left = BUFFER_LEN;
	wipe(blocks, sizeof(blocks));
}

/* LEN <= BUFFER_LEN. */
static void read_buffered(uint8_t *out, size_t len, bool need_seed)
{
	unsigned long flags = arch_irq_save();
	struct buffer *buffer = percpu_this(random_buffer);

	while (len) {
		size_t n;
		uint8_t *from;

		if (!buffer->left || (need_seed && !buffer->seeded))
			buffer_refill(buffer, need_seed);
		n = MIN(len, (size_t)buffer->left);
		from = buffer->bytes + BUFFER_LEN - buffer->left;
		memcpy(out, from, n);
		wipe(from, n);
		buffer->left -= (unsigned)n;
		out += n;
		len -= n;
	}
	arch_irq_restore(flags);
}

/* A key for this reader alone, and blocks from it with no lock held. At most 256 GiB: the block counter has 32 bits. */
static void read_bulk(uint8_t *out, size_t len)
{
	uint32_t once[CHACHA20_KEY_LEN / 4], counter = 0;
	uint8_t block[CHACHA20_BLOCK_LEN];

	read_buffered((uint8_t *)once, sizeof(once), true);
	for (; len >= CHACHA20_BLOCK_LEN; out += CHACHA20_BLOCK_LEN, len -= CHACHA20_BLOCK_LEN)
		chacha20_block(once, counter++, no_nonce, out);
	chacha20_block(once, counter, no_nonce, block);
	memcpy(out, block, len);
	wipe(once, sizeof(once));
	wipe(block, sizeof(block));
}

void random_bytes(void *buf, size_t len)
{
	if (len <= BUFFER_LEN)
		read_buffered(buf, len, true);
	else
		read_bulk(buf, len);
}

uint64_t random_u64(void)
{
	uint64_t value;

	read_buffered((uint8_t *)&value, sizeof(value), true);
	return value;
}

/* The high half of value * bound is uniform but for the first 2^64 % bound low halves, which are drawn again. */
static uint64_t below(uint64_t bound, bool need_seed)
{
	unsigned __int128 product;
	uint64_t value;

	do {
		read_buffered((uint8_t *)&value, sizeof(value), need_seed);
		product = (unsigned __int128)value * bound;
	} while (unlikely((uint64_t)product < bound) && (uint64_t)product < -bound % bound);
	return (uint64_t)(product >> 64);
}

uint64_t random_below(uint64_t bound)
{
	return below(bound, true);
}

uint64_t random_layout_below(uint64_t bound)
{
	return below(bound, false);
}

static void add(const void *data, size_t len, size_t trusted)
{
	unsigned long flags = spin_lock_irqsave(&random_lock);

	stir(data, len);
	credit_bytes(trusted);
	spin_unlock_irqrestore(&random_lock, flags);
}

void random_add(const void *data, size_t len)
{
	add(data, len, 0);
}

void random_add_trusted(const void *data, size_t len)
{
	add(data, len, len);
}

void random_init(const void *seed, size_t len)
{
	stir(seed, len);
	credit_bytes(len);
	initialised = true;
}
