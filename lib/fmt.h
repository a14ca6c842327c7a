/*
 * Formatted text. A subset of C17 7.21.6.1: flags - 0 # + space, width and precision (also *), lengths hh h l ll z j t,
 * conversions d i u x X o c s p %. No floating point, no %n. An unknown conversion is printed as it stands.
 */
#ifndef LIB_FMT_H
#define LIB_FMT_H

#include <stdarg.h>
#include <stddef.h>

/* As C's snprintf: writes at most SIZE bytes, terminated when SIZE > 0; returns the length the whole text would have. */
int fmt_format(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int fmt_vformat(char *buf, size_t size, const char *format, va_list list) __attribute__((format(printf, 3, 0)));

#endif
