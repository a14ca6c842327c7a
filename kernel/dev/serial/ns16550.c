/*
 * The PC's serial port: National Semiconductor PC16550D and what emulates it (register numbers and bits: its data sheet,
 * section 8). Output is polled, input comes by interrupt once somebody asks for it.
 */
#include "kernel/arch/arch.h"
#include "kernel/core/irq.h"
#include "kernel/dev/console.h"
#include "lib/util.h"

#define COM1_PORT 0x3f8
#define COM1_ISA_IRQ 4

enum {
	UART_DATA = 0, /* receive and transmit buffer; divisor, low byte, while LCR_DLAB is set */
	UART_IER = 1,  /* interrupt enable; divisor, high byte */
	UART_IIR = 2,  /* read: interrupt identification */
	UART_FCR = 2,  /* write: FIFO control */
	UART_LCR = 3,
	UART_MCR = 4,
	UART_LSR = 5,
	UART_SCRATCH = 7,

	IER_RECEIVE = 0x01,
	IIR_FIFOS = 0xc0, /* both set: the FIFOs work and are on */
	FCR_ENABLE = 0x01,
	LCR_8N1 = 0x03,
	LCR_DLAB = 0x80,
	MCR_DTR_RTS = 0x03,
	MCR_OUT2 = 0x08, /* gates the interrupt line on a PC */
	LSR_DATA_READY = 0x01,
	LSR_TRANSMIT_EMPTY = 0x20,

	DIVISOR_115200 = 1,
	FIFO_LEN = 16,
};

/*
 * Reads of LSR before a transmitter counts as dead. One takes about a microsecond, on an ISA bus or as an exit to a
 * hypervisor, and a full FIFO drains in 1.4 ms.
 */
#define TRANSMIT_POLLS 200000

/* Bytes that one interrupt may bring: more is a device that lies. */
#define RECEIVE_MAX 4096

struct ns16550 {
	struct console console;
	struct irq irq;
	uint16_t port;
	uint8_t burst; /* bytes that fit when the transmitter is empty */
	bool dead;     /* the last wait was in vain: do not wait again before it recovers */
};

static uint8_t uart_in(const struct ns16550 *uart, unsigned reg)
{
	return arch_in8(uart->port + reg);
}

static void uart_out(const struct ns16550 *uart, unsigned reg, uint8_t value)
{
	arch_out8(uart->port + reg, value);
}

static bool transmit_wait(struct ns16550 *uart)
{
	unsigned polls = uart->dead ? 1 : TRANSMIT_POLLS;

	while (!(uart_in(uart, UART_LSR) & LSR_TRANSMIT_EMPTY)) {
		if (--polls == 0) {
			uart->dead = true;
			return false;
		}
		arch_cpu_relax();
	}
	uart->dead = false;
	return true;
}

/* What does not go out in time is lost: the kernel must not hang on its own console. */
static void ns16550_write(struct log_sink *sink, const char *text, size_t len)
{
	struct ns16550 *uart = container_of(sink, struct ns16550, console.sink);

	while (len > 0 && transmit_wait(uart)) {
		size_t n = MIN(len, (size_t)uart->burst);

		arch_out8_string(uart->port + UART_DATA, text, n);
		text += n;
		len -= n;
	}
}

static void input_deliver(struct ns16550 *uart, const char *bytes, size_t len)
{
	if (len > 0 && uart->console.input)
		uart->console.input(&uart->console, bytes, len);
}

/* The line is edge-triggered, so the FIFO is emptied, or there would never be another edge. */
static bool ns16550_interrupt(struct irq *irq)
{
	struct ns16550 *uart = container_of(irq, struct ns16550, irq);
	char bytes[FIFO_LEN];
	unsigned n, total;

	for (total = 0; total < RECEIVE_MAX; total += n) {
		for (n = 0; n < FIFO_LEN && (uart_in(uart, UART_LSR) & LSR_DATA_READY); n++)
			bytes[n] = (char)uart_in(uart, UART_DATA);
		input_deliver(uart, bytes, n);
		if (n < FIFO_LEN)
			break;
	}
	return total + n > 0;
}

static int ns16550_input_start(struct console *console)
{
	struct ns16550 *uart = container_of(console, struct ns16550, console);
	int err;

	uart->irq.name = console->sink.name;
	uart->irq.handler = ns16550_interrupt;
	err = irq_request_isa(&uart->irq, COM1_ISA_IRQ, 0);
	if (err)
		return err;
	uart_out(uart, UART_IER, IER_RECEIVE); /* raises the line at once if a byte is there */
	return 0;
}

/*
 * Turning the FIFOs on empties them, and loses a byte that has arrived: the first of a pipe that is the monitor's standard
 * input. The monitor has put that byte in long before we run, and the next waits until it is read. So with a byte there
 * they stay off, for good: then the way out costs a look at the status for each byte, and nothing is lost.
 */
static void fifo_enable(struct ns16550 *uart)
{
	if ((uart_in(uart, UART_IIR) & IIR_FIFOS) != IIR_FIFOS && !(uart_in(uart, UART_LSR) & LSR_DATA_READY))
		uart_out(uart, UART_FCR, FCR_ENABLE);
	uart->burst = (uart_in(uart, UART_IIR) & IIR_FIFOS) == IIR_FIFOS ? FIFO_LEN : 1;
}

static struct ns16550 com1 = {
	.console = {
		.sink = { .name = "ttyS0", .write = ns16550_write },
		.input_start = ns16550_input_start,
	},
	.port = COM1_PORT,
};

/* 115,200 baud, 8 data bits, no parity, 1 stop bit. */
static struct console *ns16550_probe(void)
{
	struct ns16550 *uart = &com1;

	uart_out(uart, UART_SCRATCH, 0x5a);
	if (uart_in(uart, UART_SCRATCH) != 0x5a)
		return NULL;
	uart_out(uart, UART_LCR, LCR_DLAB);
	uart_out(uart, UART_DATA, DIVISOR_115200);
	uart_out(uart, UART_IER, 0);
	uart_out(uart, UART_LCR, LCR_8N1);
	uart_out(uart, UART_IER, 0);
	uart_out(uart, UART_MCR, MCR_DTR_RTS | MCR_OUT2);
	fifo_enable(uart);
	return &uart->console;
}

CONSOLE_DRIVER(ns16550) = {
	.name = "ttyS0",
	.rating = 200,
	.probe = ns16550_probe,
};
