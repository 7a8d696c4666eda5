/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatted output to the console or to a buffer. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"

/* The destination: the console if `to` is NULL, else a buffer of `size` bytes. */
struct output {
    char *to;
    size_t size;
    size_t count;
};

struct spec {
    bool left;
    bool zero;
    int width;
    int precision; /* -1: not given */
    int longs;     /* hh: -2, h: -1, l or z: 1, ll: 2 */
};

static void put(struct output *out, char c)
{
    if (out->to == NULL) {
        if (c == '\n') {
            arch_console_putc('\r');
        }
        arch_console_putc(c);
    } else if (out->count + 1 < out->size) {
        out->to[out->count] = c;
    }
    out->count++;
}

static void pad(struct output *out, char c, int count)
{
    while (count-- > 0) {
        put(out, c);
    }
}

/* Prints prefix, `zeros` zeros and text, padded with blanks to the width. */
static void put_field(struct output *out, const struct spec *spec, const char *prefix,
                      const char *text, int length, int zeros)
{
    int blank = spec->width - (int)strlen(prefix) - zeros - length;

    if (!spec->left) {
        pad(out, ' ', blank);
    }
    while (*prefix != '\0') {
        put(out, *prefix++);
    }
    pad(out, '0', zeros);
    while (length-- > 0) {
        put(out, *text++);
    }
    if (spec->left) {
        pad(out, ' ', blank);
    }
}

static void put_number(struct output *out, const struct spec *spec, const char *prefix,
                       uint64_t value, unsigned base, const char *digits)
{
    char text[24];
    char *end = text + sizeof text;
    char *at = end;
    int zeros;

    for (; value != 0; value /= base) {
        *--at = digits[value % base];
    }
    if (at == end && spec->precision != 0) {
        *--at = '0';
    }
    zeros = spec->precision - (int)(end - at);
    if (spec->precision < 0 && spec->zero && !spec->left) {
        zeros = spec->width - (int)strlen(prefix) - (int)(end - at);
    }
    put_field(out, spec, prefix, at, (int)(end - at), zeros > 0 ? zeros : 0);
}

static void put_string(struct output *out, const struct spec *spec, const char *text)
{
    int length = 0;

    if (text == NULL) {
        text = "(null)";
    }
    while ((spec->precision < 0 || length < spec->precision) && text[length] != '\0') {
        length++;
    }
    put_field(out, spec, "", text, length, 0);
}

/* va_list may be an array type. Inside a struct it can be passed by address. */
struct arguments {
    va_list list;
};

static uint64_t take_unsigned(const struct spec *spec, struct arguments *args)
{
    switch (spec->longs) {
    case -2:
        return (unsigned char)va_arg(args->list, unsigned);
    case -1:
        return (unsigned short)va_arg(args->list, unsigned);
    case 0:
        return va_arg(args->list, unsigned);
    case 1:
        return va_arg(args->list, unsigned long);
    default:
        return va_arg(args->list, unsigned long long);
    }
}

static int64_t take_signed(const struct spec *spec, struct arguments *args)
{
    switch (spec->longs) {
    case -2:
        return (signed char)va_arg(args->list, int);
    case -1:
        return (short)va_arg(args->list, int);
    case 0:
        return va_arg(args->list, int);
    case 1:
        return va_arg(args->list, long);
    default:
        return va_arg(args->list, long long);
    }
}

static void convert(struct output *out, char conversion, struct spec *spec, struct arguments *args)
{
    static const char lower[] = "0123456789abcdef";
    static const char upper[] = "0123456789ABCDEF";
    int64_t value;
    char c;

    switch (conversion) {
    case 'd':
    case 'i':
        value = take_signed(spec, args);
        put_number(out, spec, value < 0 ? "-" : "", value < 0 ? -(uint64_t)value : (uint64_t)value,
                   10, lower);
        break;
    case 'u':
        put_number(out, spec, "", take_unsigned(spec, args), 10, lower);
        break;
    case 'x':
        put_number(out, spec, "", take_unsigned(spec, args), 16, lower);
        break;
    case 'X':
        put_number(out, spec, "", take_unsigned(spec, args), 16, upper);
        break;
    case 'p':
        spec->precision = 2 * sizeof(void *);
        put_number(out, spec, "0x", (uintptr_t)va_arg(args->list, void *), 16, lower);
        break;
    case 's':
        put_string(out, spec, va_arg(args->list, const char *));
        break;
    case 'c':
        c = (char)va_arg(args->list, int);
        put_field(out, spec, "", &c, 1, 0);
        break;
    default: /* "%%", or an unknown conversion, which is printed as it is */
        put(out, conversion);
        break;
    }
}

static int take_count(const char **format, struct arguments *args)
{
    int count = 0;

    if (**format == '*') {
        (*format)++;
        return va_arg(args->list, int);
    }
    while (**format >= '0' && **format <= '9') {
        count = count * 10 + (*(*format)++ - '0');
    }
    return count;
}

/* Parses the part between '%' and the conversion letter. */
static struct spec take_spec(const char **format, struct arguments *args)
{
    struct spec spec = {.precision = -1};

    for (;; (*format)++) {
        if (**format == '-') {
            spec.left = true;
        } else if (**format == '0') {
            spec.zero = true;
        } else {
            break;
        }
    }
    spec.width = take_count(format, args);
    if (spec.width < 0) {
        spec.left = true;
        spec.width = -spec.width;
    }
    if (**format == '.') {
        (*format)++;
        spec.precision = take_count(format, args);
    }
    for (;; (*format)++) {
        if (**format == 'l' || **format == 'z') {
            spec.longs++;
        } else if (**format == 'h') {
            spec.longs--;
        } else {
            break;
        }
    }
    return spec;
}

static int format_to(struct output *out, const char *format, va_list list)
{
    struct arguments args;

    va_copy(args.list, list);
    while (*format != '\0') {
        struct spec spec;

        if (*format != '%') {
            put(out, *format++);
            continue;
        }
        format++;
        spec = take_spec(&format, &args);
        if (*format == '\0') {
            break;
        }
        convert(out, *format++, &spec, &args);
    }
    va_end(args.list);
    return (int)out->count;
}

int vprintf(const char *format, va_list args)
{
    return format_to(&(struct output){0}, format, args);
}

int printf(const char *format, ...)
{
    va_list args;
    int count;

    va_start(args, format);
    count = vprintf(format, args);
    va_end(args);
    return count;
}

int vsnprintf(char *to, size_t size, const char *format, va_list args)
{
    char none = '\0';
    struct output out = {.to = size != 0 ? to : &none, .size = size};
    int count = format_to(&out, format, args);

    if (size != 0) {
        to[out.count < size ? out.count : size - 1] = '\0';
    }
    return count;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
    va_list args;
    int count;

    va_start(args, format);
    count = vsnprintf(to, size, format, args);
    va_end(args);
    return count;
}
