/* Formatted text: one pass over the format; conversions fill struct spec, then one of two writers pads and puts it out. */
#include "lib/fmt.h"

#include "lib/string.h"
#include "lib/util.h"

struct out {
	char *buf;
	size_t size; /* of buf */
	size_t len;  /* of the whole text, written or not */
};

struct spec {
	bool left, zero, alternate, plus, space;
	bool has_precision;
	unsigned width, precision;
	unsigned bytes; /* size of the integer argument */
	char conversion;
};

static void put(struct out *out, const char *text, size_t len)
{
	if (out->len < out->size)
		memcpy(out->buf + out->len, text, MIN(len, out->size - out->len));
	out->len += len;
}

static void pad(struct out *out, char c, size_t n)
{
	if (out->len < out->size)
		memset(out->buf + out->len, c, MIN(n, out->size - out->len));
	out->len += n;
}

static void put_text(struct out *out, const struct spec *spec, const char *text, size_t len)
{
	size_t fill = spec->width > len ? spec->width - len : 0;

	if (!spec->left)
		pad(out, ' ', fill);
	put(out, text, len);
	if (spec->left)
		pad(out, ' ', fill);
}

/* Digits of VALUE, backwards from END; returns the first. None for 0. */
static char *digits(char *end, uint64_t value, char conversion)
{
	const char *set = conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";

	switch (conversion) {
	case 'x':
	case 'X':
	case 'p':
		for (; value; value >>= 4)
			*--end = set[value & 15];
		break;
	case 'o':
		for (; value; value >>= 3)
			*--end = set[value & 7];
		break;
	default:
		for (; value; value /= 10)
			*--end = set[value % 10];
	}
	return end;
}

/* What stands before the digits: sign or base; its length. */
static size_t prefix(char *to, const struct spec *spec, uint64_t value, bool negative)
{
	bool is_signed = spec->conversion == 'd' || spec->conversion == 'i';

	if (is_signed && (negative || spec->plus || spec->space)) {
		to[0] = negative ? '-' : spec->plus ? '+' : ' ';
		return 1;
	}
	if (spec->conversion == 'p' || (spec->alternate && value && (spec->conversion | 0x20) == 'x')) {
		to[0] = '0';
		to[1] = spec->conversion == 'X' ? 'X' : 'x';
		return 2;
	}
	return 0;
}

static void put_integer(struct out *out, const struct spec *spec, uint64_t value, bool negative)
{
	char text[24], sign[2]; /* 2^64 has 22 octal digits */
	char *end = text + sizeof(text), *first = digits(end, value, spec->conversion);
	size_t nr_digits = (size_t)(end - first), nr_sign = prefix(sign, spec, value, negative);
	size_t zeros = 0, least = spec->has_precision ? spec->precision : 1, total, fill;

	if (nr_digits < least)
		zeros = least - nr_digits;
	if (spec->conversion == 'o' && spec->alternate && !zeros && (!nr_digits || *first != '0'))
		zeros = 1;
	total = nr_sign + zeros + nr_digits;
	fill = spec->width > total ? spec->width - total : 0;
	if (spec->zero && !spec->left && !spec->has_precision) {
		zeros += fill;
		fill = 0;
	}
	if (!spec->left)
		pad(out, ' ', fill);
	put(out, sign, nr_sign);
	pad(out, '0', zeros);
	put(out, first, nr_digits);
	if (spec->left)
		pad(out, ' ', fill);
}

/* VALUE as an integer of BYTES bytes. */
static uint64_t cut(uint64_t value, unsigned bytes, bool is_signed)
{
	unsigned shift = 64 - 8 * bytes;

	value <<= shift;
	return is_signed ? (uint64_t)((int64_t)value >> shift) : value >> shift;
}

static const char *parse_number(const char *f, unsigned *number)
{
	for (*number = 0; *f >= '0' && *f <= '9'; f++)
		*number = *number * 10 + (unsigned)(*f - '0');
	return f;
}

/* Flags, up to the first character that is none. */
static const char *parse_flags(const char *f, struct spec *spec)
{
	for (;; f++) {
		switch (*f) {
		case '-':
			spec->left = true;
			break;
		case '0':
			spec->zero = true;
			break;
		case '#':
			spec->alternate = true;
			break;
		case '+':
			spec->plus = true;
			break;
		case ' ':
			spec->space = true;
			break;
		default:
			return f;
		}
	}
}

static const char *parse_length(const char *f, struct spec *spec)
{
	switch (*f) {
	case 'h':
		spec->bytes = f[1] == 'h' ? sizeof(char) : sizeof(short);
		return f[1] == 'h' ? f + 2 : f + 1;
	case 'l':
		spec->bytes = sizeof(long);
		return f[1] == 'l' ? f + 2 : f + 1;
	case 'z':
	case 'j':
	case 't':
		spec->bytes = sizeof(long);
		return f + 1;
	}
	return f;
}

/* So that one va_list can be handed from function to function. */
struct args {
	va_list list;
};

/* The text between '%' and the conversion; returns where the conversion is. */
static const char *parse_spec(const char *f, struct spec *spec, struct args *args)
{
	*spec = (struct spec){ .bytes = sizeof(int) };
	f = parse_flags(f, spec);
	if (*f == '*') {
		int width = va_arg(args->list, int);

		spec->left |= width < 0;
		spec->width = width < 0 ? 0u - (unsigned)width : (unsigned)width;
		f++;
	} else {
		f = parse_number(f, &spec->width);
	}
	if (*f == '.') {
		spec->has_precision = true;
		if (*++f == '*') {
			int precision = va_arg(args->list, int);

			spec->has_precision = precision >= 0; /* a negative one counts as none */
			spec->precision = (unsigned)precision;
			f++;
		} else {
			f = parse_number(f, &spec->precision);
		}
	}
	return parse_length(f, spec);
}

static void put_string(struct out *out, const struct spec *spec, const char *text)
{
	if (!text)
		text = "(null)";
	put_text(out, spec, text, strnlen(text, spec->has_precision ? spec->precision : SIZE_MAX));
}

/* False when the conversion is not known. */
static bool convert(struct out *out, struct spec *spec, struct args *args)
{
	uint64_t value;
	char c;

	switch (spec->conversion) {
	case 'd':
	case 'i':
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		value = spec->bytes == sizeof(long) ? va_arg(args->list, unsigned long) : va_arg(args->list, unsigned);
		if (spec->conversion == 'd' || spec->conversion == 'i') {
			value = cut(value, spec->bytes, true);
			if ((int64_t)value < 0) {
				put_integer(out, spec, 0 - value, true);
				return true;
			}
		}
		put_integer(out, spec, cut(value, spec->bytes, false), false);
		return true;
	case 'p':
		put_integer(out, spec, va_arg(args->list, uintptr_t), false);
		return true;
	case 's':
		put_string(out, spec, va_arg(args->list, const char *));
		return true;
	case 'c':
		c = (char)va_arg(args->list, int);
		put_text(out, spec, &c, 1);
		return true;
	case '%':
		put(out, "%", 1);
		return true;
	}
	return false;
}

int fmt_vformat(char *buf, size_t size, const char *format, va_list list)
{
	struct out out = { buf, size, 0 };
	const char *f = format, *start;
	struct spec spec;
	struct args args;

	va_copy(args.list, list);
	while (*f) {
		for (start = f; *f && *f != '%'; f++)
			barrier();
		put(&out, start, (size_t)(f - start));
		if (!*f)
			break;
		start = f;
		f = parse_spec(f + 1, &spec, &args);
		spec.conversion = *f;
		if (*f)
			f++;
		if (!convert(&out, &spec, &args))
			put(&out, start, (size_t)(f - start));
	}
	va_end(args.list);
	if (size)
		buf[MIN(out.len, size - 1)] = '\0';
	return (int)out.len;
}

int fmt_format(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = fmt_vformat(buf, size, format, args);
	va_end(args);
	return len;
}
