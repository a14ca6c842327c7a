/* What kernel/arch calls above itself: the one instance of its contract. */
#include "kernel/arch/arch.h"
#include "kernel/core/cpu.h"
#include "kernel/core/irq.h"
#include "kernel/core/panic.h"
#include "kernel/init/main.h"
#include "kernel/linux/entry.h"
#include "kernel/mem/fault.h"
#include "kernel/mem/page.h"

/* Of an image that runs no application nothing refers to these, so they are not in it, and NULL here. */
#pragma weak app_page_fault
#pragma weak app_syscall
#pragma weak app_leave
#pragma weak app_fault

static unsigned cpu_nr(void)
{
	return cpu_self();
}

const struct arch_upcalls arch_upcalls = {
	.start = kernel_start,
	.irq = irq_dispatch,
	.stray = irq_stray,
	.page_fault = app_page_fault,
	.fault = fault_handle,
	.syscall = app_syscall,
	.leave = app_leave,
	.app_fault = app_fault,
	.nmi = panic_nmi,
	.panic = panic_frame,
	.cpu_nr = cpu_nr,
	.table_page_alloc = page_table_page_alloc,
	.table_page_free = page_table_page_free,
	.low_page_alloc = page_alloc_low,
};
