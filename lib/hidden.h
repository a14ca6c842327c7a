/*
 * Comes before everything that goes into an image (Makefile: -include). An image is linked whole and exports nothing,
 * so what is
 * declared is in it, at a distance that the linker knows: no compiler has to ask a table of addresses (GOT), which would be
 * relocated, for a function whose address is taken.
 */
#ifndef LIB_HIDDEN_H
#define LIB_HIDDEN_H

#ifndef __ASSEMBLY__
#pragma GCC visibility push(hidden)
#endif

#endif
