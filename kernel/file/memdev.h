/* The character devices that are nothing but software (mem(4), null(4), full(4), random(4)). */
#ifndef KERNEL_FILE_MEMDEV_H
#define KERNEL_FILE_MEMDEV_H

/* Puts them on the list of chardev.h. Once, at boot; costs next to nothing. */
void memdev_init(void);

#endif
