/* Ways out of the machine: which are tried, in what order, and what the drivers write to which register. */
#include "test/unit/physmem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "abi/exit.h"
#include "kernel/boot/phys.h"
#include "kernel/core/panic.h"
#include "kernel/dev/firmware/acpi.h"
#include "kernel/dev/machine.h"

extern const struct machine_power machine_power_acpi, machine_power_pc_reset;
extern struct machine_power machine_power_start[3];

/* What the linker script does for an image. */
struct machine_power machine_power_start[3];
__asm__(".globl machine_power_end\n.set machine_power_end, machine_power_start + 120");
_Static_assert(sizeof(machine_power_start) == 120, "the symbol above");

void (*panic_exit)(int status);

static char done[256]; /* what happened, in order */
static jmp_buf ended;
static const char *works; /* the step that ends the machine; NULL: the last resort */
static bool has_acpi, in_acpi_mode;
static struct acpi_power power;
static uint8_t i8042_status, reset_control;

static void step(const char *text)
{
	strcat(done, text);
	strcat(done, ";");
	if (works && !strcmp(works, text))
		longjmp(ended, 1);
}

void arch_machine_reset(void)
{
	step("last resort");
	longjmp(ended, 1);
}

bool acpi_power(struct acpi_power *out)
{
	*out = power;
	return has_acpi;
}

uint32_t shim_in(uint16_t port, unsigned bytes)
{
	switch (port) {
	case 0x64:
		return i8042_status;
	case 0xcf9:
		return reset_control;
	case 0x604:
		return in_acpi_mode ? 0x1c01 : 0x1c00;
	default:
		return bytes == 1 ? 0xff : 0xffff;
	}
}

void shim_out(uint16_t port, unsigned bytes, uint32_t value)
{
	char text[32];

	in_acpi_mode |= port == 0xb2;
	snprintf(text, sizeof(text), "%x=%0*x", port, (int)bytes * 2, value);
	step(text);
}

static void a_exit(int status)
{
	step(status == 3 ? "a exit 3" : status == EXIT_STATUS_OTHER ? "a exit other" : "a exit");
}

static void a_reset(void)
{
	step("a reset");
}

static void b_off(void)
{
	step("b off");
}

static void c_off(void)
{
	step("c off");
}

static void c_reset(void)
{
	step("c reset");
}

static int setup(void **state)
{
	(void)state;
	physmem_reset();
	machine_power_start[0] = (struct machine_power){ "c", 100, NULL, c_off, c_reset };
	machine_power_start[1] = (struct machine_power){ "b", 200, NULL, b_off, NULL };
	machine_power_start[2] = (struct machine_power){ "a", 200, a_exit, NULL, a_reset };
	memset(&power, 0, sizeof(power));
	has_acpi = true;
	in_acpi_mode = false;
	i8042_status = reset_control = 0xff;
	works = NULL;
	done[0] = '\0';
	shim_irq_enabled = true;
	return 0;
}

static void expect_exit(int status, const char *steps)
{
	done[0] = '\0';
	if (!setjmp(ended))
		machine_exit(status);
	assert_string_equal(done, steps);
	assert_false(shim_irq_enabled);
}

static void expect_reset(const char *steps)
{
	done[0] = '\0';
	if (!setjmp(ended))
		machine_reset();
	assert_string_equal(done, steps);
}

static void test_order(void **state)
{
	(void)state;
	expect_exit(0, "b off;c off;a reset;c reset;last resort;");
	expect_exit(3, "a exit 3;b off;c off;a reset;c reset;last resort;");
	expect_exit(-1, "a exit other;b off;c off;a reset;c reset;last resort;");
	expect_exit(128, "a exit other;b off;c off;a reset;c reset;last resort;");
	expect_reset("a reset;c reset;last resort;");
	works = "a exit 3";
	expect_exit(3, "a exit 3;");
	assert_string_equal(shim_log_text, "exit status 3");
	works = "b off";
	expect_exit(3, "a exit 3;b off;");
	expect_exit(0, "b off;");
	machine_init();
	assert_ptr_equal(panic_exit, machine_exit);
}

/* Alone in the table. */
static void only(const struct machine_power *way)
{
	for (unsigned i = 0; i < 3; i++)
		machine_power_start[i] = (struct machine_power){ .name = "none" };
	machine_power_start[1] = *way;
}

static void test_acpi_pm1(void **state)
{
	(void)state;
	only(&machine_power_acpi);
	power = (struct acpi_power){
		.can_sleep = true,
		.sleep_type_a = 5,
		.sleep_type_b = 6,
		.pm1a = { 0x604, true },
		.smi_command = 0xb2,
		.acpi_enable = 0xf1,
		.reset = { 0xcf9, true },
		.reset_value = 0x0f,
	};
	/* ACPI mode first; the type of S5 replaces what was there. */
	works = "604=3401";
	expect_exit(0, "b2=f1;604=3401;");
	expect_exit(0, "604=3401;");
	works = NULL;
	power.pm1b = (struct acpi_register){ 0x704, true };
	expect_exit(0, "604=3401;704=fbff;cf9=0f;last resort;");
	expect_reset("cf9=0f;last resort;");
	power.can_sleep = false;
	power.reset.address = 0;
	expect_exit(0, "last resort;");
	has_acpi = false;
	expect_exit(0, "last resort;");
	expect_reset("last resort;");
}

static void test_acpi_reduced(void **state)
{
	uint8_t registers[2];

	(void)state;
	only(&machine_power_acpi);
	power = (struct acpi_power){
		.can_sleep = true,
		.sleep_type_a = 5,
		.sleep_control = { 0x8000000, false },
		.reset = { 0x8000001, false },
		.reset_value = 0x42,
	};
	expect_exit(0, "last resort;");
	physmem_read(registers, 0x8000000, 2);
	assert_int_equal(registers[0], 5 << 2 | 0x20);
	assert_int_equal(registers[1], 0x42);
	/* In the kernel's image: nothing is written. */
	power.sleep_control.address = power.reset.address = PHYSMEM_IMAGE;
	expect_exit(0, "last resort;");
}

static void test_pc_reset(void **state)
{
	(void)state;
	only(&machine_power_pc_reset);
	expect_reset("last resort;");
	i8042_status = 0x1c;
	expect_reset("64=fe;last resort;");
	i8042_status = 0x02; /* never ready: written all the same, nothing is lost */
	reset_control = 0;
	expect_reset("64=fe;cf9=02;cf9=06;last resort;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_acpi_pm1, setup),
		cmocka_unit_test_setup(test_acpi_reduced, setup),
		cmocka_unit_test_setup(test_pc_reset, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
