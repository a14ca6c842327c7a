/* What the log says of a program that a signal ends. */
#ifndef KERNEL_LINUX_REPORT_H
#define KERNEL_LINUX_REPORT_H

struct trapframe;
struct signal_info;

/*
 * The calling task is about to end by the signal of INFO: registers, mappings and callers, in the log. Threads only.
 */
void signal_report(const struct trapframe *frame, const struct signal_info *info);

#endif
