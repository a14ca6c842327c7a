/*
 * The vDSO of an application, vdso(7): answers that need no system call. Its code is a file of its own in the kernel's
 * constants (vdso/, vdso_image.S), in front of which a page of data stands that the kernel writes (vdso/vdso_data.h). Both are
 * pages of the image: the code is mapped for execution there, in the application's half, and nowhere writable.
 */
#ifndef KERNEL_LINUX_VDSO_H
#define KERNEL_LINUX_VDSO_H

#include <stdint.h>

struct vmspace;

/*
 * Maps both at a random place above the stack, or where else there is room. *BASE: AT_SYSINFO_EHDR. 0, -ENOMEM. Threads only;
 * takes VM's lock. Once for an address space; the pages are the same in all of them.
 */
int vdso_map(struct vmspace *vm, uintptr_t *base);

#endif
