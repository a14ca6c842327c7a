/* The generator: seeding and its refusals, that output looks random, never repeats, and that nothing of it is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The file itself, so that each test can begin unseeded. */
#include "kernel/core/random.c"

uint64_t arch_boot_noise[8];
static size_t hw_len; /* what arch_random_hw gives */
static bool steady;   /* time is a function of the instructions executed */
static bool beating;  /* so it is here, but for the steps of the clock: three values, taking turns */

void arch_tlb_flush(uintptr_t va, size_t len)
{
	(void)va, (void)len;
}

size_t arch_random_hw(void *buf, size_t len)
{
	len = MIN(len, hw_len);
	memset(buf, 0x5c, len);
	return len;
}

uint64_t shim_ticks(void)
{
	static uint64_t now, noise = 1;

	noise = noise * 6364136223846793005ull + 1442695040888963407ull;
	if (beating)
		return (now += 119) / 26 * 26;
	return now += steady ? 17 : 100 + (noise >> 58);
}

static int reset(void **state)
{
	(void)state;
	memset(pool, 0, sizeof(pool));
	memset(key, 0, sizeof(key));
	memset(&random_buffer, 0, sizeof(random_buffer));
	memset(arch_boot_noise, 0x77, sizeof(arch_boot_noise));
	memset(&random_lock, 0, sizeof(random_lock));
	pool_next = credit = 0;
	initialised = seeded = begun = false;
	hw_len = 0;
	steady = true;
	beating = false;
	shim_irq_enabled = true;
	return 0;
}

static void test_no_entropy(void **state)
{
	(void)state;
	random_init(NULL, 0);
	expect_assert_failure(random_u64());
	assert_non_null(strstr(shim_panic_text, "no entropy"));
}

static void test_beat_is_no_entropy(void **state)
{
	(void)state;
	beating = true;
	random_init(NULL, 0);
	expect_assert_failure(random_u64());
}

/* Layout needs no seed; what it got is never handed to those who need one. */
static void test_layout(void **state)
{
	uint8_t seed[32] = { 1 };
	uint64_t left;

	(void)state;
	random_init(NULL, 0);
	assert_in_range(random_layout_below(1000), 0, 999);
	assert_false(seeded || random_buffer.seeded);
	left = random_buffer.left;
	assert_true(left > 0);
	random_layout_below(1000);
	assert_true(random_buffer.left < left);
	expect_assert_failure(random_u64());
	memset(&random_lock, 0, sizeof(random_lock));
	random_add_trusted(seed, sizeof(seed));
	random_u64();
	assert_true(seeded && random_buffer.seeded);
	assert_int_equal(random_buffer.left, BUFFER_LEN - sizeof(uint64_t));
}

/* Where a seed is at hand, layout uses it. */
static void test_layout_seeded(void **state)
{
	(void)state;
	hw_len = 32;
	random_init(NULL, 0);
	random_layout_below(1000);
	assert_true(seeded && random_buffer.seeded);
}

static void test_too_little_entropy(void **state)
{
	(void)state;
	hw_len = 16;
	random_init("fifteen bytes..", 15);
	expect_assert_failure(random_u64());
	assert_non_null(strstr(shim_panic_text, " of 256"));
}

static void test_not_initialised(void **state)
{
	(void)state;
	steady = false;
	expect_assert_failure(random_u64());
}

static void test_each_source_is_enough(void **state)
{
	uint8_t seed[32] = { 1 };

	hw_len = 32;
	random_init(NULL, 0);
	random_u64();
	reset(state);
	random_init(seed, sizeof(seed));
	random_u64();
	reset(state);
	steady = false;
	random_init(NULL, 0);
	random_u64();
	reset(state);
	random_init(NULL, 0);
	random_add(seed, sizeof(seed)); /* not trusted: no credit */
	assert_int_equal(credit, 0);
	random_add_trusted(seed, sizeof(seed));
	random_u64();
	assert_true(shim_irq_enabled);
}

static void test_noise_is_wiped(void **state)
{
	static const uint64_t zero[8];

	(void)state;
	random_init(NULL, 0);
	random_layout_below(2);
	assert_memory_equal(arch_boot_noise, zero, sizeof(zero));
}

/* Every input changes the output; the same inputs give the same one (so the test above all sources is one of them all). */
static uint64_t first_output(const char *seed, const char *add, uint8_t noise)
{
	reset(NULL);
	hw_len = 32;
	memset(arch_boot_noise, noise, sizeof(arch_boot_noise));
	random_init(seed, strlen(seed));
	random_add(add, strlen(add));
	return random_u64();
}

static void test_inputs_matter(void **state)
{
	uint64_t base = first_output("seed", "add", 1);

	(void)state;
	assert_true(base == first_output("seed", "add", 1));
	assert_true(base != first_output("seee", "add", 1));
	assert_true(base != first_output("seed", "adc", 1));
	assert_true(base != first_output("seed", "add", 2));
}

/* Every length, through the buffer and past it; bytes that were handed out are no longer in memory. */
static void test_lengths(void **state)
{
	uint8_t out[400];

	(void)state;
	hw_len = 32;
	random_init(NULL, 0);
	for (size_t len = 0; len < sizeof(out) - 1; len++) {
		unsigned zeros = 0;

		memset(out, 0, sizeof(out));
		random_bytes(out, len);
		for (size_t i = 0; i < len; i++)
			zeros += !out[i];
		assert_true(zeros < 12);
		assert_int_equal(out[len], 0);
	}
	for (unsigned i = 0; i < BUFFER_LEN - random_buffer.left; i++)
		assert_int_equal(random_buffer.bytes[i], 0);
}

/* Bits and bytes are as frequent as they should be, within six standard deviations. */
static void test_statistics(void **state)
{
	enum { N = 1 << 18 };
	static uint8_t data[N];
	unsigned count[256] = { 0 }, ones = 0;
	double chi2 = 0, expected = N / 256.0;

	(void)state;
	hw_len = 32;
	random_init(NULL, 0);
	for (unsigned i = 0; i < N; i += 64)
		random_bytes(data + i, 64);
	for (unsigned i = 0; i < N; i++) {
		count[data[i]]++;
		ones += (unsigned)__builtin_popcount(data[i]);
	}
	for (unsigned i = 0; i < 256; i++)
		chi2 += (count[i] - expected) * (count[i] - expected) / expected;
	assert_true(chi2 > 255 - 6 * 22.6 && chi2 < 255 + 6 * 22.6);
	assert_true(ones > 4 * N - 6 * 725 && ones < 4 * N + 6 * 725);
}

static void test_below(void **state)
{
	unsigned count[10] = { 0 };

	(void)state;
	hw_len = 32;
	random_init(NULL, 0);
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t value = random_below(10);

		assert_true(value < 10);
		count[value]++;
	}
	for (unsigned i = 0; i < 10; i++)
		assert_in_range(count[i], 820, 1180);
	assert_int_equal(random_below(1), 0);
	for (unsigned i = 0; i < 100; i++)
		assert_true(random_below((1ull << 63) + 1) <= 1ull << 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_no_entropy, reset),
		cmocka_unit_test_setup(test_beat_is_no_entropy, reset),
		cmocka_unit_test_setup(test_layout, reset),
		cmocka_unit_test_setup(test_layout_seeded, reset),
		cmocka_unit_test_setup(test_too_little_entropy, reset),
		cmocka_unit_test_setup(test_not_initialised, reset),
		cmocka_unit_test_setup(test_each_source_is_enough, reset),
		cmocka_unit_test_setup(test_noise_is_wiped, reset),
		cmocka_unit_test_setup(test_inputs_matter, reset),
		cmocka_unit_test_setup(test_lengths, reset),
		cmocka_unit_test_setup(test_statistics, reset),
		cmocka_unit_test_setup(test_below, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
