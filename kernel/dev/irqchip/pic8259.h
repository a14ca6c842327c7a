/* The pair of 8259A interrupt controllers of a PC. */
#ifndef KERNEL_DEV_IRQCHIP_PIC8259_H
#define KERNEL_DEV_IRQCHIP_PIC8259_H

/*
 * Masks every line: whatever firmware and reset left open would come in as a CPU exception's vector. Two port writes; on
 * the boot CPU before interrupts are first enabled. Harmless where there is no 8259.
 */
void pic8259_mask_all(void);

#endif
