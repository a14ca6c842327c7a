/*
 * What a switch between two threads of one CPU costs, from the wake to the woken thread's next instruction. Under QEMU's
 * -icount shift=0 the time-stamp counter counts instructions. Everything that the pair does in a round trip is included:
 * condition, two wakes, two blocks.
 */
#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/core/thread.h"
#include "kernel/core/wait.h"
#include "kernel/core/log.h"
#include "lib/fmt.h"
#include "test/boot/guest/tap.h"

#define WARM_UP 100
#define ROUNDS 2000

static struct wait_queue queues[2];
static unsigned turn;
static uint64_t begin, end;

static int play(void *arg)
{
	unsigned side = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < WARM_UP + ROUNDS; i++) {
		if (i == WARM_UP && side == 0)
			begin = arch_ticks();
		wait_event(&queues[side], turn == side);
		turn = !side;
		wait_wake(&queues[!side], 1);
	}
	if (side == 0)
		end = arch_ticks();
	return 0;
}

int main(void)
{
	const uint64_t cpu_0[CPU_MAX / 64] = { 1 };
	struct thread *threads[2];
	char line[64];
	int len;

	thread_sleep(50 * NSEC_PER_MSEC); /* by then the clock reads the CPU's own counter */
	thread_set_affinity(thread_current(), cpu_0);
	wait_queue_init(&queues[0]);
	wait_queue_init(&queues[1]);
	for (uintptr_t side = 0; side < 2; side++) {
		thread_create(&threads[side], "player", play, (void *)side, 0);
		thread_set_affinity(threads[side], cpu_0);
	}
	thread_join(threads[0]);
	thread_join(threads[1]);
	len = fmt_format(line, sizeof(line), "switch: %llu instructions\n",
			 (unsigned long long)(end - begin) / (2 * ROUNDS));
	log_raw(line, (size_t)len);
	TAP_EQUAL(turn, 0, "the pair has taken its turns");
	return tap_done();
}
