/*
 * How an image ends, as its monitor sees it. Under QEMU with `-device isa-debug-exit,iobase=0xf4,iosize=0x04` the guest
 * writes its status there and QEMU's own exit status is (status << 1) | 1, for status 1 to 127; status 0 is a normal power-off
 * (QEMU exit status 0). A status that does not fit is told as EXIT_STATUS_OTHER. Without the device every end is a power-off,
 * and the last log line says the status.
 */
#ifndef ABI_EXIT_H
#define ABI_EXIT_H

#define EXIT_PORT 0xf4
#define EXIT_STATUS_MAX 127
#define EXIT_STATUS_OTHER 126
#define EXIT_PANIC 127 /* the kernel itself failed */

#endif
