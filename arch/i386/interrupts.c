/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt descriptor table, and the two 8259 interrupt controllers. */
#include <stddef.h>

#include "arch/arch.h"
#include "arch/i386/internal.h"
#include "runtime/stamp.h"

enum {
    PIC1_COMMAND = 0x20,
    PIC1_DATA = 0x21,
    PIC2_COMMAND = 0xa0,
    PIC2_DATA = 0xa1,
    PIC_ICW1_INIT_ICW4 = 0x11,
    PIC_ICW4_8086 = 0x01,
    PIC_ICW4_AUTO_EOI = 0x02,
    PIC_OCW2_EOI = 0x20,
    PIC_OCW3_READ_ISR = 0x0b,
    PIC_CASCADE = 2, /* the first controller's line to which the second is connected */

    IRQ_LINES = 16,
    HANDLERS_PER_LINE = 8,
    STUB_SIZE = 16,          /* bytes per entry point in vectors.S */
    GATE_INTERRUPT = 0x8e00, /* present, ring 0, 32-bit interrupt gate */
    GATE_TASK = 0x8500,      /* present, ring 0 */
};

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint16_t type;
    uint16_t offset_high;
};
_Static_assert(sizeof(struct gate) == 8, "gate");

struct irq_handler {
    arch_irq_handler_t handler;
    void *context;
};

extern const uint8_t vector_stubs[];
void trap_handle(const struct i386_trap_frame *frame);

static struct gate idt[I386_VECTORS];
static struct irq_handler handlers[IRQ_LINES][HANDLERS_PER_LINE];
uint32_t arch_irq_unclaimed;

static void init_idt(void)
{
    struct {
        uint16_t unused; /* aligns the base */
        uint16_t limit;
        uint32_t base;
    } pointer = {0, sizeof idt - 1, (uint32_t)idt};

    for (unsigned i = 0; i < I386_VECTORS; i++) {
        uint32_t stub = (uint32_t)vector_stubs + i * STUB_SIZE;

        idt[i] = (struct gate){
            .offset_low = (uint16_t)stub,
            .selector = I386_CODE_SEGMENT,
            .type = GATE_INTERRUPT,
            .offset_high = (uint16_t)(stub >> 16),
        };
    }
    /* The double fault's task has its own stack, as the program's may be invalid. */
    idt[I386_DOUBLE_FAULT] = (struct gate){
        .selector = i386_double_fault_task(),
        .type = GATE_TASK,
    };
    __asm__ volatile("lidt %0" ::"m"(pointer.limit) : "memory");
}

/*
 * ICW1 selects edge-triggered. The firmware has set PCI's lines to level-triggered in the ELCR. The
 * first controller ends its interrupts itself, so that a tick costs no access to it, and an interrupt
 * of the second only one. The second does not: it must lower its output at each acknowledgement, as
 * the first needs an edge for the next request.
 */
static void init_pic(void)
{
    arch_io_write8(PIC1_COMMAND, PIC_ICW1_INIT_ICW4);
    arch_io_write8(PIC2_COMMAND, PIC_ICW1_INIT_ICW4);
    arch_io_write8(PIC1_DATA, I386_VECTOR_IRQ);
    arch_io_write8(PIC2_DATA, I386_VECTOR_IRQ + 8);
    arch_io_write8(PIC1_DATA, 1 << PIC_CASCADE);
    arch_io_write8(PIC2_DATA, PIC_CASCADE);
    arch_io_write8(PIC1_DATA, PIC_ICW4_8086 | PIC_ICW4_AUTO_EOI);
    arch_io_write8(PIC2_DATA, PIC_ICW4_8086);
    arch_io_write8(PIC1_DATA, (uint8_t) ~(1 << PIC_CASCADE));
    arch_io_write8(PIC2_DATA, 0xff);
}

void arch_interrupts_init(void)
{
    init_idt();
    init_pic();
}

void i386_interrupts_only_tick(void)
{
    arch_interrupts_init();
    arch_io_write8(PIC1_DATA, (uint8_t) ~(1 << I386_TICK_LINE));
}

bool arch_irq_register(unsigned line, arch_irq_handler_t handler, void *context)
{
    uint32_t data = line < 8 ? PIC1_DATA : PIC2_DATA;
    bool enabled;

    if (line >= IRQ_LINES || line == PIC_CASCADE) {
        return false;
    }
    for (unsigned i = 0; i < HANDLERS_PER_LINE; i++) {
        if (handlers[line][i].handler == NULL) {
            enabled = arch_interrupts_save();
            handlers[line][i] = (struct irq_handler){handler, context};
            arch_io_write8(data, (uint8_t)(arch_io_read8(data) & ~(1u << (line & 7))));
            arch_interrupts_restore(enabled);
            return true;
        }
    }
    return false;
}

/*
 * A controller reports its last line also if the request has disappeared. At the second one the
 * in-service bit is then clear, and no end of interrupt must be sent. The first one does not tell;
 * then no handler claims the interrupt.
 */
static bool is_spurious(unsigned line)
{
    if (line != 15) {
        return false;
    }
    arch_io_write8(PIC2_COMMAND, PIC_OCW3_READ_ISR);
    return !(arch_io_read8(PIC2_COMMAND) & 0x80);
}

static void handle_irq(unsigned line)
{
    bool claimed = false;

    if (is_spurious(line)) {
        arch_irq_unclaimed++;
        return;
    }
    /* Calls all handlers: the line may be shared, and more than one device may have raised it. */
    for (unsigned i = 0; i < HANDLERS_PER_LINE && handlers[line][i].handler != NULL; i++) {
        claimed |= handlers[line][i].handler(handlers[line][i].context);
    }
    arch_irq_unclaimed += !claimed;
    if (line >= 8) {
        arch_io_write8(PIC2_COMMAND, PIC_OCW2_EOI);
    }
}

void trap_handle(const struct i386_trap_frame *frame)
{
    stamp(STAMP_INTERRUPT);
    if (frame->vector >= I386_VECTOR_MESSAGE) {
        i386_message_handle(frame->vector);
    } else {
        handle_irq(frame->vector - I386_VECTOR_IRQ);
    }
}
