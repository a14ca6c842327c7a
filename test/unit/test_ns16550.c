/* The serial port on registers of our own: how it is found, how bytes go out, ports that are dead or not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/dev/serial/ns16550.c"

#include "lib/errno.h"

static struct {
	bool present, fifo_works, fifo_on, dead;
	uint8_t scratch, waiting; /* bytes that came in */
	unsigned nr_status_reads, room;
	char out[4096];
	size_t out_len;
} port;
static struct irq *line;
static char got[8192];
static size_t got_len;

uint32_t shim_in(uint16_t at, unsigned bytes)
{
	assert_int_equal(bytes, 1);
	if (!port.present)
		return 0xff;
	switch (at - COM1_PORT) {
	case UART_DATA:
		port.waiting -= port.waiting > 0;
		return 'a';
	case UART_IIR:
		return port.fifo_on ? IIR_FIFOS | 1 : 1;
	case UART_LSR:
		port.nr_status_reads++;
		port.room = port.fifo_on ? FIFO_LEN : 1;
		return (port.dead ? 0 : LSR_TRANSMIT_EMPTY) | (port.waiting ? LSR_DATA_READY : 0);
	case UART_SCRATCH:
		return port.scratch;
	default:
		return 0;
	}
}

void shim_out(uint16_t at, unsigned bytes, uint32_t value)
{
	static bool divisor_latch;

	assert_int_equal(bytes, 1);
	switch (at - COM1_PORT) {
	case UART_DATA:
		if (divisor_latch)
			break;
		assert_true(port.room > 0); /* else the byte is lost */
		port.room--;
		assert_true(port.out_len < sizeof(port.out));
		port.out[port.out_len++] = (char)value;
		break;
	case UART_FCR:
		assert_int_equal(port.waiting, 0); /* else it is lost */
		port.fifo_on = port.fifo_works && (value & FCR_ENABLE);
		break;
	case UART_LCR:
		divisor_latch = value & LCR_DLAB;
		break;
	case UART_SCRATCH:
		port.scratch = (uint8_t)value;
		break;
	}
}

int irq_request_isa(struct irq *irq, unsigned isa, unsigned flags)
{
	assert_int_equal(isa, 4);
	assert_int_equal(flags, 0);
	line = irq;
	return 0;
}

static void input(struct console *console, const char *bytes, size_t len)
{
	assert_ptr_equal(console, &com1.console);
	assert_true(got_len + len <= sizeof(got));
	memcpy(got + got_len, bytes, len);
	got_len += len;
}

static int reset(void **state)
{
	(void)state;
	memset(&port, 0, sizeof(port));
	port.present = port.fifo_works = true;
	com1.dead = false;
	com1.console.input = input;
	got_len = 0;
	return 0;
}

static void write_text(const char *text)
{
	com1.console.sink.write(&com1.console.sink, text, strlen(text));
}

static void test_absent(void **state)
{
	(void)state;
	port.present = false;
	assert_null(ns16550_probe());
}

static void test_bursts(void **state)
{
	char text[101];

	(void)state;
	memset(text, 'x', 100);
	text[100] = '\0';
	assert_ptr_equal(ns16550_probe(), &com1.console);
	port.nr_status_reads = 0;
	write_text(text);
	assert_int_equal(port.out_len, 100);
	assert_memory_equal(port.out, text, 100);
	assert_int_equal(port.nr_status_reads, 7);
	write_text("a\nb");
	assert_memory_equal(port.out + 100, "a\nb", 3);
}

static void test_no_fifo(void **state)
{
	(void)state;
	port.fifo_works = false;
	assert_non_null(ns16550_probe());
	write_text("hello");
	assert_int_equal(port.out_len, 5);
}

/* A byte that waits when the port is found is not thrown away. */
static void test_early_byte(void **state)
{
	(void)state;
	port.waiting = 1;
	assert_non_null(ns16550_probe());
	assert_int_equal(port.waiting, 1);
	write_text("hello");
	assert_int_equal(port.out_len, 5);
	port.fifo_on = true; /* by the firmware */
	assert_non_null(ns16550_probe());
	assert_int_equal(com1.burst, FIFO_LEN);
}

static void test_dead(void **state)
{
	(void)state;
	assert_non_null(ns16550_probe());
	port.dead = true;
	port.nr_status_reads = 0;
	write_text("lost");
	assert_int_equal(port.nr_status_reads, TRANSMIT_POLLS);
	write_text("lost");
	assert_int_equal(port.nr_status_reads, TRANSMIT_POLLS + 1);
	assert_int_equal(port.out_len, 0);
	port.dead = false;
	write_text("back");
	assert_int_equal(port.out_len, 4);
}

static void test_input(void **state)
{
	(void)state;
	assert_non_null(ns16550_probe());
	assert_int_equal(com1.console.input_start(&com1.console), 0);
	assert_false(line->handler(line)); /* nothing came */
	port.waiting = 20;
	assert_true(line->handler(line));
	assert_int_equal(got_len, 20);
	com1.console.input = NULL;
	port.waiting = 20;
	assert_true(line->handler(line));
	assert_int_equal(port.waiting, 0);
	assert_int_equal(got_len, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_absent, reset),  cmocka_unit_test_setup(test_bursts, reset),
		cmocka_unit_test_setup(test_no_fifo, reset), cmocka_unit_test_setup(test_early_byte, reset),
		cmocka_unit_test_setup(test_dead, reset),    cmocka_unit_test_setup(test_input, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
