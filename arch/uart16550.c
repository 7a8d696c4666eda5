/* SPDX-License-Identifier: BSD-2-Clause */
/* The console of both architectures: a 16550 UART at COM1, polled. */
#include "arch/arch.h"

enum {
    COM1 = 0x3f8,
    UART_DATA = COM1 + 0,
    UART_DIVISOR_LOW = COM1 + 0,
    UART_INTERRUPTS = COM1 + 1,
    UART_DIVISOR_HIGH = COM1 + 1,
    UART_FIFO = COM1 + 2,
    UART_LINE_CONTROL = COM1 + 3,
    UART_MODEM_CONTROL = COM1 + 4,
    UART_LINE_STATUS = COM1 + 5,
    UART_SCRATCH = COM1 + 7,

    UART_LINE_8N1 = 0x03,
    UART_LINE_DIVISOR = 0x80,
    UART_FIFO_ON = 0x07, /* and both emptied */
    UART_MODEM_DTR_RTS = 0x03,
    UART_STATUS_EMPTY = 0x20, /* room for a character */
    UART_115200_BAUD = 1,
    UART_SCRATCH_PATTERN = 0x5a,
    UART_PATIENCE = 100000, /* status reads before a character is dropped */
};

static bool have_uart;

void arch_console_init(void)
{
    arch_io_write8(UART_SCRATCH, UART_SCRATCH_PATTERN);
    have_uart = arch_io_read8(UART_SCRATCH) == UART_SCRATCH_PATTERN;
    if (!have_uart) {
        return;
    }
    arch_io_write8(UART_INTERRUPTS, 0);
    arch_io_write8(UART_LINE_CONTROL, UART_LINE_DIVISOR);
    arch_io_write8(UART_DIVISOR_LOW, UART_115200_BAUD);
    arch_io_write8(UART_DIVISOR_HIGH, 0);
    arch_io_write8(UART_LINE_CONTROL, UART_LINE_8N1);
    arch_io_write8(UART_FIFO, UART_FIFO_ON);
    arch_io_write8(UART_MODEM_CONTROL, UART_MODEM_DTR_RTS);
}

void arch_console_putc(char c)
{
    if (!have_uart) {
        return;
    }
    for (unsigned i = 0; i < UART_PATIENCE; i++) {
        if (arch_io_read8(UART_LINE_STATUS) & UART_STATUS_EMPTY) {
            arch_io_write8(UART_DATA, (uint8_t)c);
            return;
        }
    }
}
