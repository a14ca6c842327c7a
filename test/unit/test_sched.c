/* Threads, run queues, wait queues, mutexes and timers on simulated CPUs, in many random interleavings. */
#include "test/unit/smp_sim.h"

#include "kernel/core/idle.c"
#include "kernel/core/mutex.c"
#include "kernel/core/run_queue.c"
#include "kernel/core/sched.c"
#include "kernel/core/spinlock.c"
#include "kernel/core/thread.c"
#include "kernel/core/timer.c"
#include "kernel/core/wait.c"
#include "kernel/core/wake.c"

#define SEEDS 40

static void sim_reset(void)
{
	boot_thread = (struct thread){ 0 };
	dead_list = NULL;
}

static int return_arg(void *arg)
{
	return (int)(intptr_t)arg;
}

/* Uses the CPU: time passes, interrupts come. */
static void work(unsigned points)
{
	while (points--)
		sim_point();
}

static void test_join(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		unsigned allocated;

		sim_start(1 + seed % 4, seed);
		idle_ensure();
		allocated = sim_nr_allocated;
		for (int round = 0; round < 20; round++) {
			struct thread *threads[5];

			for (int i = 0; i < 5; i++)
				assert_int_equal(thread_create(&threads[i], "returns", return_arg,
							       (void *)(intptr_t)(i + round), 0),
						 0);
			for (int i = 0; i < 5; i++)
				assert_int_equal(thread_join(threads[i]), i + round);
		}
		assert_int_equal(thread_count(), 1);
		assert_int_equal(sim_nr_allocated, allocated);
	}
}

static int sleep_then_return(void *arg)
{
	thread_sleep(sim_random(5000));
	return (int)(intptr_t)arg;
}

static void test_detach(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		sim_start(1 + seed % 4, seed);
		for (int i = 0; i < 50; i++) {
			struct thread *thread;

			thread_create(&thread, "detached", sleep_then_return, NULL, i & 1 ? THREAD_DETACHED : 0);
			if (!(i & 1)) {
				thread_sleep(sim_random(5000));
				thread_detach(thread);
			}
		}
		thread_sleep(NSEC_PER_SEC);
		thread_reap();
		assert_int_equal(thread_count(), 1);
	}
}

/* ---- Ping-pong -------------------------------------------------------------------------------------------------- */

struct pair {
	struct wait_queue queue[2];
	unsigned turn; /* atomic; whose it is: its lowest bit */
	unsigned rounds;
};

struct player {
	struct pair *pair;
	unsigned side, moves;
};

static int play(void *arg)
{
	struct player *player = arg;
	struct pair *pair = player->pair;

	while (player->moves < pair->rounds) {
		wait_event(&pair->queue[player->side],
			   (__atomic_load_n(&pair->turn, __ATOMIC_ACQUIRE) & 1) == player->side);
		player->moves++;
		__atomic_fetch_add(&pair->turn, 1, __ATOMIC_ACQ_REL);
		wait_wake(&pair->queue[!player->side], 1);
	}
	return 0;
}

static void test_ping_pong(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct pair pairs[6];
		struct player players[6][2];
		struct thread *threads[6][2];

		sim_start(1 + seed % 4, seed);
		for (unsigned i = 0; i < 6; i++) {
			pairs[i] = (struct pair){ .rounds = 100 };
			wait_queue_init(&pairs[i].queue[0]);
			wait_queue_init(&pairs[i].queue[1]);
			for (unsigned side = 0; side < 2; side++) {
				players[i][side] = (struct player){ &pairs[i], side, 0 };
				thread_create(&threads[i][side], "player", play, &players[i][side], 0);
			}
		}
		for (unsigned i = 0; i < 12; i++)
			thread_join(threads[i / 2][i % 2]);
		for (unsigned i = 0; i < 6; i++)
			assert_int_equal(pairs[i].turn, 200);
	}
}

/* ---- Mutexes ---------------------------------------------------------------------------------------------------- */

static struct mutex mutex;
static unsigned mutex_count, mutex_inside;

static int count_under_mutex(void *arg)
{
	unsigned *rounds = arg;

	for (unsigned i = 0; i < *rounds; i++) {
		mutex_lock(&mutex);
		assert_int_equal(mutex_inside++, 0);
		if (i % 7 == 0)
			thread_yield();
		if (i % 31 == 0)
			thread_sleep(sim_random(2000));
		work(3);
		mutex_count++;
		mutex_inside--;
		mutex_unlock(&mutex);
	}
	return 0;
}

static void test_mutex(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct thread *threads[8];
		unsigned rounds = 100;

		sim_start(1 + seed % 4, seed);
		mutex_init(&mutex, "test");
		mutex_count = 0;
		for (unsigned i = 0; i < 8; i++)
			thread_create(&threads[i], "counter", count_under_mutex, &rounds, 0);
		for (unsigned i = 0; i < 8; i++)
			thread_join(threads[i]);
		assert_int_equal(mutex_count, 800);
		assert_int_equal(mutex.owner, 0);
		assert_true(mutex_try_lock(&mutex));
		assert_false(mutex_try_lock(&mutex));
		mutex_unlock(&mutex);
	}
}

static int hog_mutex(void *arg)
{
	bool *stop = arg;

	while (!*stop) {
		mutex_lock(&mutex);
		work(20);
		mutex_unlock(&mutex);
	}
	return 0;
}

/* Who gives it up and takes it again at once overtakes a waiter once, not for ever. */
static void test_mutex_does_not_starve(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct thread *hogs[3];
		bool stop = false;

		sim_start(1 + seed % 4, seed);
		mutex_init(&mutex, "test");
		for (unsigned i = 0; i < 3; i++)
			thread_create(&hogs[i], "hog", hog_mutex, &stop, 0);
		for (unsigned i = 0; i < 20; i++) {
			mutex_lock(&mutex);
			mutex_unlock(&mutex);
			thread_sleep(1000);
		}
		stop = true;
		for (unsigned i = 0; i < 3; i++)
			thread_join(hogs[i]);
	}
}

/* ---- Timers ----------------------------------------------------------------------------------------------------- */

#define TIMERS 64

struct test_timer {
	struct timer timer;
	unsigned nr_fired, order;
	uint64_t late;
};
static struct test_timer test_timers[TIMERS];
static unsigned timers_fired;

static void test_timer_fire(struct timer *timer)
{
	struct test_timer *test = container_of(timer, struct test_timer, timer);

	assert_true(sim_clock >= timer->deadline);
	test->late = sim_clock - timer->deadline;
	test->nr_fired++;
	test->order = timers_fired++;
}

static void test_timers_in_order(void **state)
{
	(void)state;
	sim_start(1, 7);
	timers_fired = 0;
	for (unsigned i = 0; i < TIMERS; i++) {
		test_timers[i] = (struct test_timer){ 0 };
		timer_init(&test_timers[i].timer, test_timer_fire);
		timer_set(&test_timers[i].timer, 100000 + (i * 37 % TIMERS) * 10000);
	}
	thread_sleep(100000 + TIMERS * 10000);
	for (unsigned i = 0; i < TIMERS; i++) {
		assert_int_equal(test_timers[i].nr_fired, 1);
		assert_int_equal(test_timers[i].order, i * 37 % TIMERS);
		assert_true(test_timers[i].late < 10000);
	}
}

static int cancel_timers(void *arg)
{
	unsigned *cancelled = arg;

	for (unsigned i = 0; i < TIMERS; i++) {
		cancelled[i] += timer_cancel_sync(&test_timers[i].timer);
		work((unsigned)sim_random(10));
	}
	return 0;
}

static void test_timer_cancel_races(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		unsigned cancelled[TIMERS] = { 0 };
		struct thread *thread;

		sim_start(1 + seed % 4, seed);
		thread_create(&thread, "cancel", cancel_timers, cancelled, 0);
		for (unsigned i = 0; i < TIMERS; i++) {
			test_timers[i] = (struct test_timer){ 0 };
			timer_init(&test_timers[i].timer, test_timer_fire);
		}
		for (unsigned i = 0; i < TIMERS; i++) {
			timer_set(&test_timers[i].timer, sim_clock + sim_random(20000));
			if (i % 3 == 0)
				timer_set(&test_timers[i].timer, sim_clock + sim_random(20000));
		}
		thread_join(thread);
		thread_sleep(NSEC_PER_MSEC);
		/* The canceller may have been there before the timer was set. */
		for (unsigned i = 0; i < TIMERS; i++)
			assert_in_range(test_timers[i].nr_fired + cancelled[i], 1, i % 3 == 0 ? 2 : 1);
	}
}

static void test_sleep_is_never_short(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		sim_start(1 + seed % 3, seed);
		for (unsigned i = 0; i < 50; i++) {
			uint64_t ns = sim_random(1000000), begin = sim_clock;

			thread_sleep(ns);
			assert_true(sim_clock - begin >= ns);
		}
	}
}

static void test_wait_timeout(void **state)
{
	struct wait_queue queue;
	bool never = false;
	uint64_t begin;

	(void)state;
	sim_start(2, 3);
	wait_queue_init(&queue);
	begin = sim_clock;
	assert_int_equal(wait_event_timeout(&queue, never, begin + 5000), -ETIMEDOUT);
	assert_true(sim_clock >= begin + 5000);
	assert_true(list_is_empty(&queue.waiters));
	assert_int_equal(wait_event_timeout(&queue, never, 0), -ETIMEDOUT);
	assert_int_equal(wait_event_timeout(&queue, !never, 0), 0);
}

static struct wait_queue fifo_queue;
static unsigned fifo_released, fifo_order[6], fifo_n;

static int wait_in_line(void *arg)
{
	wait_event(&fifo_queue, fifo_released > 0);
	fifo_released--;
	fifo_order[fifo_n++] = (unsigned)(uintptr_t)arg;
	return 0;
}

static void test_waiters_wake_in_order(void **state)
{
	struct thread *threads[6];

	(void)state;
	sim_start(1, 5);
	wait_queue_init(&fifo_queue);
	fifo_n = fifo_released = 0;
	for (uintptr_t i = 0; i < 6; i++) {
		thread_create(&threads[i], "in line", wait_in_line, (void *)i, 0);
		thread_sleep(100000);
	}
	for (unsigned i = 0; i < 6; i++) {
		fifo_released++;
		assert_int_equal(wait_wake(&fifo_queue, 1), 1);
		thread_sleep(100000);
	}
	for (unsigned i = 0; i < 6; i++) {
		thread_join(threads[i]);
		assert_int_equal(fifo_order[i], i);
	}
}

/* ---- Who runs where, and how long ------------------------------------------------------------------------------- */

static int spin_until(void *arg)
{
	uint64_t *end = arg;

	while (sim_clock < *end)
		work(1);
	return 0;
}

static void test_fair_by_weight(void **state)
{
	static const int nice[4] = { 0, 0, 5, -5 };
	struct thread *threads[4];
	uint64_t end, used[4];

	(void)state;
	sim_start(1, 11);
	end = sim_clock + 4 * NSEC_PER_SEC;
	for (unsigned i = 0; i < 4; i++) {
		thread_create(&threads[i], "spins", spin_until, &end, 0);
		thread_set_nice(threads[i], nice[i]);
	}
	thread_sleep(3 * NSEC_PER_SEC);
	for (unsigned i = 0; i < 4; i++)
		used[i] = thread_runtime(threads[i]);
	for (unsigned i = 0; i < 4; i++)
		thread_join(threads[i]);
	/* 1.25^5 = 3.05; a slice is 4 ms of about 500 ms. */
	assert_in_range(used[0] * 100 / used[1], 97, 103);
	assert_in_range(used[0] * 100 / used[2], 290, 320);
	assert_in_range(used[3] * 100 / used[0], 290, 320);
}

static void test_idle_cpus_take_work(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct thread *threads[4];
		uint64_t end, begin;

		sim_start(4, seed);
		begin = sim_clock;
		end = begin + 20 * NSEC_PER_MSEC;
		for (unsigned i = 0; i < 4; i++)
			thread_create(&threads[i], "spins", spin_until, &end, 0);
		thread_sleep(10 * NSEC_PER_MSEC);
		for (unsigned i = 0; i < 4; i++)
			assert_in_range(thread_runtime(threads[i]), 9 * NSEC_PER_MSEC, 11 * NSEC_PER_MSEC);
		for (unsigned i = 0; i < 4; i++)
			thread_join(threads[i]);
	}
}

static int check_cpu(void *arg)
{
	uint64_t mask[CPU_MAX / 64] = { 0 };

	(void)arg;
	for (unsigned i = 0; i < 50; i++) {
		unsigned cpu = (unsigned)sim_random(sim_nr_cpus);

		mask[0] = 1ul << cpu;
		assert_int_equal(thread_set_affinity(thread_current(), mask), 0);
		for (unsigned j = 0; j < 5; j++) {
			assert_int_equal(cpu_self(), cpu);
			if (sim_random(2))
				thread_sleep(sim_random(3000));
			else
				work(5);
		}
	}
	return 0;
}

static void test_affinity(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct thread *threads[6];
		uint64_t none[CPU_MAX / 64] = { 0, 1 };

		sim_start(1 + seed % 4, seed);
		assert_int_equal(thread_set_affinity(thread_current(), none), -EINVAL);
		for (unsigned i = 0; i < 6; i++)
			thread_create(&threads[i], "moves", check_cpu, NULL, 0);
		for (unsigned i = 0; i < 6; i++)
			assert_int_equal(thread_join(threads[i]), 0);
	}
}

/* Others are moved about while they wait, run, are queued. */
static void test_affinity_of_others(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct pair pair = { .rounds = 200 };
		struct player players[2] = { { &pair, 0, 0 }, { &pair, 1, 0 } };
		struct thread *threads[2];
		uint64_t mask[CPU_MAX / 64] = { 0 };

		sim_start(4, seed);
		wait_queue_init(&pair.queue[0]);
		wait_queue_init(&pair.queue[1]);
		for (unsigned i = 0; i < 2; i++)
			thread_create(&threads[i], "player", play, &players[i], 0);
		for (unsigned i = 0; i < 50; i++) {
			mask[0] = 1 + sim_random(15);
			thread_set_affinity(threads[i % 2], mask);
			work((unsigned)sim_random(50));
		}
		thread_join(threads[0]);
		thread_join(threads[1]);
		assert_int_equal(pair.turn, 400);
	}
}

/* One thread that runs alone is not interrupted; nor is an idle machine. */
static void test_no_ticks_without_need(void **state)
{
	unsigned before;
	uint64_t end;

	(void)state;
	sim_start(2, 1);
	thread_sleep(10 * NSEC_PER_MSEC);
	before = sim_nr_timer_interrupts;
	end = sim_clock + NSEC_PER_SEC / 10;
	spin_until(&end);
	assert_in_range(sim_nr_timer_interrupts - before, 0, 1);
	before = sim_nr_timer_interrupts;
	thread_sleep(NSEC_PER_SEC);
	assert_in_range(sim_nr_timer_interrupts - before, 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_detach),
		cmocka_unit_test(test_ping_pong),
		cmocka_unit_test(test_mutex),
		cmocka_unit_test(test_mutex_does_not_starve),
		cmocka_unit_test(test_timers_in_order),
		cmocka_unit_test(test_timer_cancel_races),
		cmocka_unit_test(test_sleep_is_never_short),
		cmocka_unit_test(test_wait_timeout),
		cmocka_unit_test(test_waiters_wake_in_order),
		cmocka_unit_test(test_fair_by_weight),
		cmocka_unit_test(test_idle_cpus_take_work),
		cmocka_unit_test(test_affinity),
		cmocka_unit_test(test_affinity_of_others),
		cmocka_unit_test(test_no_ticks_without_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
