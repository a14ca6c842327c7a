/*
 * The log's ring, its lock, and the way out to the sinks.
 *
 * The ring holds records, oldest at `tail`, next at `head`; both count up for ever and are taken modulo the size. A record is
 * in one piece: where the longest one would not fit before the end of the buffer, a filler record skips what is left.
 *
 * The lock is a word that names its holder, so that a CPU which finds it taken can tell whether it interrupted itself (an
 * NMI, or a fault inside the log). Then the line goes into one of a few spare slots, and the next caller takes it from there.
 */
#include "kernel/core/log.h"

#include "kernel/arch/arch.h"
#include "kernel/core/cpu.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/util.h"

#define RING_SIZE 16384u
#define FILLER 0xff /* level of a record that only fills the end of the buffer */
#define NR_SPARE 4

struct record {
	uint64_t time; /* ns */
	uint16_t size; /* of the whole record, a multiple of sizeof(struct record), so that a filler always has room */
	uint16_t len;  /* of the text, newline included */
	uint8_t level;
	bool shown;
	char text[];
};

enum spare_state {
	SPARE_FREE,
	SPARE_CLAIMED,
	SPARE_READY,
};

struct spare {
	unsigned state; /* atomic; whoever claims it owns the rest until it is ready */
	enum log_level level;
	char text[LOG_LINE_MAX];
};

uint64_t (*log_clock)(void);

static unsigned log_holder;   /* atomic: the CPU that holds the lock, plus 1; 0 when free */
static unsigned panic_holder; /* atomic: the CPU that has the log for good, plus 1 */
static uint64_t panic_time;   /* set before panic_holder */
/* Under the lock: */
static char ring[RING_SIZE] __attribute__((aligned(16)));
static uint64_t head, tail;
static struct log_sink *sinks;
static unsigned console_level = LOG_WARNING;

static struct spare spares[NR_SPARE];
static bool spares_used; /* atomic: some spare may be ready */

_Static_assert(RING_SIZE % sizeof(struct record) == 0, "see record.size");

static struct record *record_at(uint64_t position)
{
	return (struct record *)(void *)&ring[position % RING_SIZE];
}

/* False when this CPU holds the lock already. Interrupts stay disabled until log_unlock. */
static bool log_lock(unsigned long *flags)
{
	unsigned self, panicking, holder;

	*flags = arch_irq_save();
	self = cpu_self() + 1;
	for (;;) {
		panicking = __atomic_load_n(&panic_holder, __ATOMIC_RELAXED);
		if (unlikely(panicking)) {
			if (panicking == self)
				return true;
			arch_cpu_halt();
		}
		holder = 0;
		if (likely(__atomic_compare_exchange_n(&log_holder, &holder, self, false, __ATOMIC_ACQUIRE,
						       __ATOMIC_RELAXED)))
			return true;
		if (holder == self) {
			arch_irq_restore(*flags);
			return false;
		}
		arch_cpu_relax();
	}
}

static void log_unlock(unsigned long flags)
{
	__atomic_store_n(&log_holder, 0, __ATOMIC_RELEASE);
	arch_irq_restore(flags);
}

/* The record after POSITION; steps over fillers. NULL at the end. A damaged ring (we may be in a panic) ends too. */
static struct record *next_record(uint64_t *position)
{
	while (*position < head) {
		struct record *record = record_at(*position);

		if (record->size < sizeof(struct record) || record->size > head - *position)
			return NULL;
		*position += record->size;
		if (record->level != FILLER)
			return record;
	}
	return NULL;
}

static void make_room(unsigned size)
{
	while (head + size - tail > RING_SIZE)
		tail += record_at(tail)->size;
}

/* Room for the longest record, in one piece. It is part of the ring only when record_commit has been called. */
static struct record *record_begin(void)
{
	const unsigned longest = ALIGN_UP(offsetof(struct record, text) + LOG_LINE_MAX, sizeof(struct record));
	unsigned left = RING_SIZE - (unsigned)(head % RING_SIZE);

	if (left < longest) {
		struct record *filler;

		make_room(left);
		filler = record_at(head);
		filler->size = (uint16_t)left;
		filler->level = FILLER;
		head += left;
	}
	make_room(longest);
	return record_at(head);
}

/* A panic is one moment: it must not ask a clock whose lock a CPU holds that it has stopped. */
static uint64_t time_now(void)
{
	if (READ_ONCE(panic_holder))
		return panic_time;
	return log_clock ? log_clock() : 0;
}

static void record_commit(struct record *record, enum log_level level, size_t len)
{
	if (len >= LOG_LINE_MAX) {
		len = LOG_LINE_MAX - 1;
		memcpy(record->text + len - 3, "...", 3);
	}
	while (len && record->text[len - 1] == '\n')
		len--;
	record->text[len++] = '\n';
	record->time = time_now();
	record->len = (uint16_t)len;
	record->size = (uint16_t)ALIGN_UP(offsetof(struct record, text) + len, sizeof(struct record));
	record->level = (uint8_t)level;
	record->shown = false;
	head += record->size;
}

static void sinks_write(const char *text, size_t len)
{
	struct log_sink *sink;

	for (sink = sinks; sink; sink = sink->next)
		sink->write(sink, text, len);
}

/* Shows RECORD if that has not happened; the time as seconds with six decimals. */
static void record_show(struct record *record)
{
	uint64_t us = record->time / 1000;
	char stamp[32];
	int len;

	if (record->shown || !sinks)
		return;
	record->shown = true;
	len = fmt_format(stamp, sizeof(stamp), "[%5lu.%06lu] ", us / 1000000, us % 1000000);
	sinks_write(stamp, (size_t)len);
	sinks_write(record->text, MIN(record->len, (uint16_t)LOG_LINE_MAX));
}

static void show_all(unsigned level)
{
	uint64_t position = tail;
	struct record *record;

	while ((record = next_record(&position)))
		if (record->level <= level)
			record_show(record);
}

static void record_add(enum log_level level, const char *format, va_list args)
{
	struct record *record = record_begin();

	record_commit(record, level, (size_t)fmt_vformat(record->text, LOG_LINE_MAX, format, args));
	if (level <= console_level)
		record_show(record);
}

static void record_add_text(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	record_add(level, format, args);
	va_end(args);
}

/* Keeps a line that came in the middle of the log's own work; dropped when all spares are taken. */
static void __attribute__((cold)) spare_put(enum log_level level, const char *format, va_list args)
{
	struct spare *spare;

	for (spare = spares; spare < spares + NR_SPARE; spare++) {
		unsigned state = SPARE_FREE;

		if (!__atomic_compare_exchange_n(&spare->state, &state, SPARE_CLAIMED, false, __ATOMIC_ACQUIRE,
						 __ATOMIC_RELAXED))
			continue;
		spare->level = level;
		fmt_vformat(spare->text, LOG_LINE_MAX, format, args);
		__atomic_store_n(&spare->state, SPARE_READY, __ATOMIC_RELEASE);
		__atomic_store_n(&spares_used, true, __ATOMIC_RELEASE);
		return;
	}
}

static void __attribute__((cold)) spares_take(void)
{
	struct spare *spare;

	__atomic_store_n(&spares_used, false, __ATOMIC_SEQ_CST);
	for (spare = spares; spare < spares + NR_SPARE; spare++) {
		if (__atomic_load_n(&spare->state, __ATOMIC_ACQUIRE) != SPARE_READY)
			continue;
		record_add_text(spare->level, "%s", spare->text);
		__atomic_store_n(&spare->state, SPARE_FREE, __ATOMIC_RELEASE);
	}
}

void log_vwrite(enum log_level level, const char *format, va_list args)
{
	unsigned long flags;

	if (level > LOG_INFO && level > READ_ONCE(console_level))
		return;
	if (unlikely(!log_lock(&flags))) {
		spare_put(level, format, args);
		return;
	}
	if (unlikely(READ_ONCE(spares_used)))
		spares_take();
	record_add(level, format, args);
	log_unlock(flags);
}

void log_write(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vwrite(level, format, args);
	va_end(args);
}

void log_raw(const char *text, size_t len)
{
	unsigned long flags;

	if (unlikely(!log_lock(&flags)))
		return;
	sinks_write(text, len);
	log_unlock(flags);
}

void log_console_level_set(enum log_level level)
{
	unsigned long flags;

	if (!log_lock(&flags))
		return;
	console_level = level;
	show_all(level);
	log_unlock(flags);
}

void log_sink_register(struct log_sink *sink)
{
	struct log_sink **link = &sinks;
	unsigned long flags;

	if (!log_lock(&flags))
		return;
	while (*link)
		link = &(*link)->next;
	sink->next = NULL;
	*link = sink;
	show_all(console_level);
	log_unlock(flags);
}

void log_panic_begin(void)
{
	panic_time = time_now();
	__atomic_store_n(&panic_holder, cpu_self() + 1, __ATOMIC_SEQ_CST);
}

void log_panic_dump(void)
{
	if (READ_ONCE(spares_used))
		spares_take();
	show_all(LOG_DEBUG);
}
