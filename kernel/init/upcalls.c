/* What kernel/arch calls above itself: the one instance of its contract. */
#include "kernel/arch/arch.h"
#include "kernel/core/irq.h"
#include "kernel/core/panic.h"
#include "kernel/init/main.h"
#include "kernel/mem/fault.h"
#include "kernel/mem/page.h"

const struct arch_upcalls arch_upcalls = {
	.start = kernel_start,
	.irq = irq_dispatch,
	.stray = irq_stray,
	.fault = fault_handle,
	.nmi = panic_nmi,
	.panic = panic_frame,
	.table_page_alloc = page_table_page_alloc,
	.low_page_alloc = page_alloc_low,
};
