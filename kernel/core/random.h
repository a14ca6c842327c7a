/*
 * Random numbers: one ChaCha20 generator (RFC 8439 block function, fast key erasure) behind a buffer per CPU. Seeded from
 * RDSEED or RDRAND, the loader's seed, virtio-rng when its driver is in, and timing jitter. Never read unseeded: the first
 * reader completes the seed, and the kernel panics when that cannot be done. Nobody reads, nobody pays.
 */
#ifndef KERNEL_CORE_RANDOM_H
#define KERNEL_CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Before the first reader, on the boot CPU. SEED is what the boot protocol handed over (may be empty); the caller wipes it,
 * arch_boot_noise is wiped here.
 */
void random_init(const void *seed, size_t len);
/* Any context but NMI. Panics before random_init, and where the machine gives less than 256 bits to seed from. */
void random_bytes(void *buf, size_t len);
uint64_t random_u64(void);
/* Uniform in [0, bound), bound > 0. */
uint64_t random_below(uint64_t bound);
/*
 * The same for places in the address space. On a machine that has nothing at hand to seed from it answers all the same,
 * with the little there is, and does not spend the time on jitter; no secret is ever made of such numbers.
 */
uint64_t random_layout_below(uint64_t bound);
/* Mixes in more, from drivers and interrupts; any context but NMI. Never makes the state worse, whoever made the data. */
void random_add(const void *data, size_t len);
/* The same from a source made for it (virtio-rng): counts in full towards a seed that is not complete yet. */
void random_add_trusted(const void *data, size_t len);

#endif
