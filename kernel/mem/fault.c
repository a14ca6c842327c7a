#include "kernel/mem/fault.h"

#include "kernel/arch/arch.h"
#include "kernel/core/panic.h"
#include "kernel/mem/vmap.h"

bool fault_handle(struct trapframe *frame, uintptr_t address)
{
	if (frame->vector == VECTOR_PAGE_FAULT && vmap_is_guard(address))
		panic_frame(frame, "page fault: guard page of a kernel area at %#lx", address);
	return false;
}
