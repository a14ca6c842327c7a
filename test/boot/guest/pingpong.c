/* Pairs of threads that hand a turn to each other over all CPUs: no turn is lost, none is taken twice. */
#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/core/thread.h"
#include "kernel/core/wait.h"
#include "test/boot/guest/tap.h"

#define PAIRS 8
#define ROUNDS 5000

struct pair {
	struct wait_queue queue[2];
	unsigned turn; /* atomic; its lowest bit: whose it is */
};

struct player {
	struct pair *pair;
	unsigned side, moves;
	uint64_t cpus_seen;
};

static struct pair pairs[PAIRS];
static struct player players[PAIRS][2];

static bool is_turn_of(const struct player *player)
{
	return (__atomic_load_n(&player->pair->turn, __ATOMIC_ACQUIRE) & 1) == player->side;
}

static int play(void *arg)
{
	struct player *player = arg;
	struct pair *pair = player->pair;

	for (unsigned i = 0; i < ROUNDS; i++) {
		wait_event(&pair->queue[player->side], is_turn_of(player));
		player->moves++;
		player->cpus_seen |= 1ul << cpu_self() % 64;
		__atomic_fetch_add(&pair->turn, 1, __ATOMIC_ACQ_REL);
		wait_wake(&pair->queue[!player->side], 1);
	}
	return (int)player->side;
}

static void pair_start(unsigned nr, struct thread *threads[2])
{
	for (unsigned side = 0; side < 2; side++) {
		wait_queue_init(&pairs[nr].queue[side]);
		players[nr][side] = (struct player){ .pair = &pairs[nr], .side = side };
	}
	for (unsigned side = 0; side < 2; side++)
		thread_create(&threads[side], "player", play, &players[nr][side], 0);
}

int main(void)
{
	struct thread *threads[PAIRS][2];
	uint64_t begin, cpus_seen = 0;
	bool exact = true, values = true;

	cpu_wait_online();
	begin = clock_monotonic();
	for (unsigned i = 0; i < PAIRS; i++)
		pair_start(i, threads[i]);
	for (unsigned i = 0; i < 2 * PAIRS; i++)
		values &= thread_join(threads[i / 2][i % 2]) == (int)(i % 2);
	for (unsigned i = 0; i < PAIRS; i++) {
		exact &= pairs[i].turn == 2 * ROUNDS && players[i][0].moves == ROUNDS && players[i][1].moves == ROUNDS;
		cpus_seen |= players[i][0].cpus_seen | players[i][1].cpus_seen;
	}
	tap_note("%u CPUs, %lu us", nr_cpus_online, (clock_monotonic() - begin) / NSEC_PER_USEC);
	TAP_CHECK(exact, "%u pairs made %u moves each", PAIRS, 2 * ROUNDS);
	TAP_CHECK(values, "every join gives its thread's exit value");
	TAP_EQUAL(cpus_seen, (1ul << nr_cpus_online) - 1, "every CPU took part");
	TAP_EQUAL(thread_count(), 1, "nobody is left");
	return tap_done();
}
