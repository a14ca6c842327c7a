/*
 * Restartable sequences, rseq(2) (include/uapi/linux/rseq.h): a thread's memory holds the number of the CPU that it
 * runs on, and says which few instructions have to begin anew when it was interrupted among them.
 */
#ifndef KERNEL_LINUX_RSEQ_H
#define KERNEL_LINUX_RSEQ_H

struct trapframe;

/*
 * The calling thread is on its way out to the application after it was preempted or moved, or before a handler is
 * entered: fills in the CPU's number, and leaves a sequence that was interrupted for its abort handler. Costs a load
 * when nothing is registered.
 */
void rseq_resume(struct trapframe *frame);
#define rseq_signal rseq_resume

#endif
