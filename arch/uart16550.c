/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console of both architectures: a 16550 UART at COM1, and the screen and keyboard if they
 * exist. Output is polled. Input works like a network card's receive side: an interrupt disables
 * further ones, and the loop enables them again when it has taken all characters.
 */
#include <stdio.h>

#include "arch/arch.h"

enum {
    COM1 = 0x3f8,
    COM1_LINE = 4,
    UART_DATA = COM1 + 0,
    UART_DIVISOR_LOW = COM1 + 0,
    UART_INTERRUPTS = COM1 + 1,
    UART_DIVISOR_HIGH = COM1 + 1,
    UART_FIFO = COM1 + 2,
    UART_INTERRUPT_CAUSE = COM1 + 2,
    UART_LINE_CONTROL = COM1 + 3,
    UART_MODEM_CONTROL = COM1 + 4,
    UART_LINE_STATUS = COM1 + 5,
    UART_SCRATCH = COM1 + 7,

    UART_LINE_8N1 = 0x03,
    UART_LINE_DIVISOR = 0x80,
    UART_FIFO_ON = 0x07, /* enables and empties both FIFOs */
    UART_MODEM_DTR_RTS = 0x03,
    UART_MODEM_OUT2 = 0x08, /* connects the interrupt line on a PC */
    UART_ON_DATA = 0x01,    /* interrupt on received data */
    UART_ON_ROOM = 0x02,    /* and when the transmitter has room */
    UART_CAUSE_MASK = 0x07,
    UART_CAUSE_NONE = 0x01,
    UART_CAUSE_ROOM = 0x02,
    UART_STATUS_DATA = 0x01,  /* a character was received */
    UART_STATUS_EMPTY = 0x20, /* the transmitter has room */
    UART_115200_BAUD = 1,
    UART_SCRATCH_PATTERN = 0x5a,
};

/*
 * A UART that nobody reads from remains full, and waiting for it would stop the network. So the
 * total waiting time is limited: each character sent earns status reads for later ones, ten times
 * as many as a character takes at 115,200 baud. When they are used up, characters are lost until
 * the UART has room again. While its interrupt tells when that is, as many as a line has are held
 * until then.
 */
enum {
    READS_EARNED = 1000,
    READS_MAX = 100000,
    HELD_MAX = 128,
};

static bool have_uart;
static bool have_input_line;
static bool line_open;     /* from arch_console_begin_line() to its '\n', or other output */
static uint32_t line_lost; /* arch_console_lost when it began */
static struct {
    char text[HELD_MAX];
    unsigned first, count;
} held;
static volatile bool wants_room; /* the interrupt tells when the transmitter has room */
volatile bool arch_console_input;
static void (*tell)(void);
static uint32_t reads_left = READS_MAX;
uint32_t arch_console_lost;
static uint32_t lost_said; /* the part of arch_console_lost that has been reported */

void arch_console_init(void)
{
    arch_screen_init();
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

static bool has_room(void)
{
    return arch_io_read8(UART_LINE_STATUS) & UART_STATUS_EMPTY;
}

static void transmit(char c)
{
    arch_io_write8(UART_DATA, (uint8_t)c);
    reads_left += READS_EARNED;
    if (reads_left > READS_MAX) {
        reads_left = READS_MAX;
    }
}

/* Returns true if nothing is held and there is room. */
static bool send_held(void)
{
    while (has_room()) {
        if (held.count == 0) {
            return true;
        }
        transmit(held.text[held.first]);
        held.first = (held.first + 1) % HELD_MAX;
        held.count--;
    }
    return false;
}

static void enable_interrupts(void)
{
    arch_io_write8(UART_INTERRUPTS, wants_room ? UART_ON_DATA | UART_ON_ROOM : UART_ON_DATA);
}

/* The interrupt comes at once if there is room by now. */
static void wait_for_room(void)
{
    if (!wants_room) {
        wants_room = true;
        enable_interrupts();
    }
}

static void hold(char c)
{
    if (!have_input_line || held.count == HELD_MAX) {
        arch_console_lost++;
        return;
    }
    held.text[(held.first + held.count) % HELD_MAX] = c;
    held.count++;
    wait_for_room();
}

static void send(char c)
{
    while (!send_held()) {
        if (held.count != 0 || reads_left == 0) {
            hold(c);
            return;
        }
        reads_left--;
    }
    transmit(c);
}

static void say_lost(void)
{
    char text[64];

    lost_said = arch_console_lost;
    snprintf(text, sizeof text, "\r\nvtnet: console: %u characters lost\r\n", (unsigned)lost_said);
    for (const char *c = text; *c != '\0'; c++) {
        send(*c);
    }
}

static void put(char c)
{
    arch_screen_putc(c);
    if (!have_uart) {
        return;
    }
    if (lost_said != arch_console_lost && send_held()) {
        say_lost();
    }
    send(c);
}

static void close_line(void)
{
    if (line_open) {
        line_open = false;
        put('\r');
        put('\n');
    }
}

void arch_console_putc(char c)
{
    close_line();
    put(c);
}

void arch_console_begin_line(void)
{
    close_line();
    line_open = true;
    line_lost = arch_console_lost;
}

void arch_console_echo(char c)
{
    if (line_open) {
        put(c);
        line_open = c != '\n';
    }
}

bool arch_console_is_open(void)
{
    return line_open && line_lost == arch_console_lost;
}

bool arch_console_has_room(void)
{
    if (!have_input_line) {
        return true;
    }
    if (!wants_room && send_held()) {
        return true;
    }
    wait_for_room();
    return false;
}

static bool uart_heard(void *context)
{
    uint8_t cause = arch_io_read8(UART_INTERRUPT_CAUSE) & UART_CAUSE_MASK;

    (void)context;
    if (cause & UART_CAUSE_NONE) {
        return false;
    }
    arch_io_write8(UART_INTERRUPTS, 0);
    if (cause == UART_CAUSE_ROOM) {
        wants_room = false;
    }
    arch_console_input = true;
    tell();
    return true;
}

static bool keyboard_heard(void *context)
{
    (void)context;
    arch_console_input = true;
    tell();
    return true;
}

void arch_console_start_input(void (*heard)(void))
{
    tell = heard;
    arch_keyboard_start(keyboard_heard);
    have_input_line = have_uart && arch_irq_register(COM1_LINE, uart_heard, NULL);
    if (have_input_line) {
        arch_io_write8(UART_MODEM_CONTROL, UART_MODEM_DTR_RTS | UART_MODEM_OUT2);
    }
    arch_console_input = true; /* there may be earlier input */
}

/*
 * A character that arrives after the status was read raises an interrupt as soon as interrupts are
 * enabled.
 */
int arch_console_getc(void)
{
    int key;

    if (have_uart && arch_io_read8(UART_LINE_STATUS) & UART_STATUS_DATA) {
        return arch_io_read8(UART_DATA);
    }
    arch_console_input = false; /* cleared before the keyboard is read, since its interrupt may
                                 * come right after */
    key = arch_keyboard_getc();
    if (key >= 0) {
        arch_console_input = true;
        return key;
    }
    if (have_input_line) {
        if (!wants_room && held.count != 0 && !send_held()) {
            wants_room = true;
        }
        enable_interrupts();
    }
    return -1;
}
