/*
 * The host kernel's own signal frames: what test_signal_frame.c compares with. Plain numbers, since <signal.h> and
 * the kernel's headers define the same names.
 */
#ifndef TEST_UNIT_SIGNAL_FRAME_HOST_H
#define TEST_UNIT_SIGNAL_FRAME_HOST_H

#include <stddef.h>
#include <stdint.h>

/* r8..r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags. */
#define HOST_REGS 18

/* Calls fn in a handler of the host, with the frame that the host has made. SP: as rt_sigreturn finds it. */
void host_signal_frame(void (*fn)(uintptr_t sp, const uint64_t regs[HOST_REGS]));
/*
 * Has the host's rt_sigreturn take the frame at SP back. It must go on at host_landing. REGS: what it restored, as
 * above.
 */
void host_sigreturn(uintptr_t sp, uint64_t regs[HOST_REGS]);
void host_landing(void);
/* Size of this thread's XSAVE area, and saving and restoring it. */
size_t host_xsave_size(void);
uint64_t host_xsave_features(void);
void host_xsave(void *area);
void host_xrstor(const void *area);
/* Offsets of <ucontext.h>'s members in the frame, from its first byte. */
size_t host_offset_mask(void), host_offset_stack(void), host_offset_gregs(void), host_offset_fpstate(void);

#endif
