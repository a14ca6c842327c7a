/*
 * Linux's x86-64 ABI: structures and constants, in our own words, each with the header and the man page that it is from. A
 * system call file includes the part that it needs. test/unit/test_abi.c holds them against the headers of the build
 * machine. Members have no prefix, and pointers of the program are uint64_t: nobody may follow them unchecked.
 */
#ifndef KERNEL_LINUX_ABI_H
#define KERNEL_LINUX_ABI_H

#include "kernel/file/abi.h"
#include "kernel/file/abi_event.h"
#include "kernel/file/abi_tty.h"
#include "kernel/linux/abi_file.h"
#include "kernel/linux/abi_process.h"
#include "kernel/linux/abi_signal.h"
#include "kernel/linux/abi_thread.h"
#include "kernel/linux/abi_time.h"
#include "kernel/mem/abi.h"

#endif
