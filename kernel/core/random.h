/*
 * Random numbers: one ChaCha20 generator (RFC 8439 block function, fast key erasure), per-CPU buffers. Seeded from RDSEED or
 * RDRAND, the loader's seed, virtio-rng when its driver is in, and boot jitter. Never read unseeded: random_init runs
 * before the first reader, and panics if it cannot collect enough.
 */
#ifndef KERNEL_CORE_RANDOM_H
#define KERNEL_CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* SEED is what the boot protocol handed over (may be empty); it is mixed in. */
void random_init(const void *seed, size_t len);
/* Any context but NMI. */
void random_bytes(void *buf, size_t len);
uint64_t random_u64(void);
/* Uniform in [0, bound), bound > 0. */
uint64_t random_below(uint64_t bound);
/* Mixes in more, from drivers and interrupts. Never makes the state worse. */
void random_add(const void *data, size_t len);

#endif
