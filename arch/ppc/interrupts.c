/* SPDX-License-Identifier: BSD-2-Clause */
/* The exception vectors, reports of exceptions, and the two 8259 interrupt controllers. */
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/fault.h"
#include "arch/ppc/internal.h"
#include "runtime/stamp.h"

enum {
    PIC1_COMMAND = 0x20,
    PIC1_DATA = 0x21,
    PIC2_COMMAND = 0xa0,
    PIC2_DATA = 0xa1,
    PIC2_ELCR = 0x4d1, /* one bit for each of lines 8 to 15: level-triggered */
    PIC_ICW1_INIT_ICW4 = 0x11,
    PIC_ICW4_8086_AUTO_EOI = 0x03,
    PIC_CASCADE = 2, /* the first controller's line to which the second is connected */

    IRQ_LINES = 16,
    HANDLERS_PER_LINE = 8,

    VECTOR_FIRST = 0x100,
    VECTOR_END = 0x3000, /* no vectors are defined from here on */
    VECTOR_STEP = 0x100,
    VECTOR_SIZE = 16, /* bytes per vector in vectors.S */
    VECTOR_DATA = 0x300,
    VECTOR_INSTRUCTION = 0x400,
    VECTOR_EXTERNAL = 0x500,
    VECTOR_DECREMENTER = 0x900,
    VECTOR_INSTRUCTION_MISS = 0x1000, /* 603 only */
    CACHE_LINE = 32,
    HID0_DOZE = 0x00800000,
};

/* A read acknowledges the interrupt at both controllers and returns its line. */
#define INTERRUPT_ACKNOWLEDGE 0xbffffff0u

#define DSISR_NO_PAGE 0x40000000u
#define DSISR_STORE 0x02000000u

/* Filled in by vectors.S. */
struct trap_frame {
    uint32_t gpr[32];
    uint32_t vector;
    uint32_t srr0, srr1;
    uint32_t msr;
    uint32_t dsisr, dar;
    uint32_t cr, lr, ctr, xer;
};

struct irq_handler {
    arch_irq_handler_t handler;
    void *context;
};

extern const uint8_t vector_to_interrupt[];
extern const uint8_t vector_to_exception[];
void interrupt_handle(uint32_t vector);
void exception_handle(const struct trap_frame *frame);

static struct irq_handler handlers[IRQ_LINES][HANDLERS_PER_LINE];
uint32_t arch_irq_unclaimed;

static void init_vectors(void)
{
    for (uint32_t vector = VECTOR_FIRST; vector < VECTOR_END; vector += VECTOR_STEP) {
        bool interrupt = vector == VECTOR_EXTERNAL || vector == VECTOR_DECREMENTER;

        memcpy((void *)vector, interrupt ? vector_to_interrupt : vector_to_exception, VECTOR_SIZE);
        __asm__ volatile("dcbst 0, %0\n\tsync\n\ticbi 0, %0" ::"r"(vector) : "memory");
    }
    __asm__ volatile("sync\n\tisync" ::: "memory");
}

/* Automatic end of interrupt: the acknowledgement ends the interrupt. */
static void init_pic(void)
{
    arch_io_write8(PIC1_COMMAND, PIC_ICW1_INIT_ICW4);
    arch_io_write8(PIC2_COMMAND, PIC_ICW1_INIT_ICW4);
    arch_io_write8(PIC1_DATA, 0);
    arch_io_write8(PIC2_DATA, 8);
    arch_io_write8(PIC1_DATA, 1 << PIC_CASCADE);
    arch_io_write8(PIC2_DATA, PIC_CASCADE);
    arch_io_write8(PIC1_DATA, PIC_ICW4_8086_AUTO_EOI);
    arch_io_write8(PIC2_DATA, PIC_ICW4_8086_AUTO_EOI);
    arch_io_write8(PIC1_DATA, (uint8_t) ~(1 << PIC_CASCADE));
    arch_io_write8(PIC2_DATA, 0xff);
}

/*
 * The 602 and 603 sleep only in a mode selected before. In doze mode the time base runs and caches
 * remain coherent. The 604 has no such bit and needs none.
 */
static void allow_sleep(void)
{
    uint32_t hid0;

    __asm__ volatile("mfspr %0, 1008" : "=r"(hid0));
    __asm__ volatile("sync\n\tmtspr 1008, %0\n\tisync" ::"r"(hid0 | HID0_DOZE) : "memory");
}

void arch_interrupts_init(void)
{
    init_vectors();
    init_pic();
    allow_sleep();
}

/*
 * PCI interrupts are level-triggered. The PCI-to-ISA bridge has them on lines of the second
 * controller, whose trigger mode must be set. The lines of the first belong to the bridge's own
 * devices.
 */
bool arch_irq_register(unsigned line, arch_irq_handler_t handler, void *context)
{
    uint32_t data = line < 8 ? PIC1_DATA : PIC2_DATA;
    uint8_t bit = (uint8_t)(1u << (line & 7));
    bool enabled;

    if (line >= IRQ_LINES || line == PIC_CASCADE) {
        return false;
    }
    for (unsigned i = 0; i < HANDLERS_PER_LINE; i++) {
        if (handlers[line][i].handler == NULL) {
            enabled = arch_interrupts_save();
            handlers[line][i] = (struct irq_handler){handler, context};
            if (line >= 8) {
                arch_io_write8(PIC2_ELCR, arch_io_read8(PIC2_ELCR) | bit);
            }
            arch_io_write8(data, arch_io_read8(data) & (uint8_t)~bit);
            arch_interrupts_restore(enabled);
            return true;
        }
    }
    return false;
}

/* The PCI bridges of these machines do not accept messages. */
bool arch_msi_allocate(arch_irq_handler_t handler, void *context, struct arch_msi *message)
{
    (void)handler, (void)context, (void)message;
    return false;
}

void arch_msi_free(const struct arch_msi *message)
{
    (void)message;
}

static bool run_handlers(const struct irq_handler *handler)
{
    bool claimed = false;

    for (unsigned i = 0; i < HANDLERS_PER_LINE && handler[i].handler != NULL; i++) {
        claimed |= handler[i].handler(handler[i].context);
    }
    return claimed;
}

/*
 * The interrupt is acknowledged before the handlers run. The first controller needs an edge from
 * the second for the next interrupt, so a later acknowledgement would discard an interrupt that a
 * device raised after its handler ran. Devices that share the line can hold it asserted
 * alternately, without an edge. So on a shared line the handlers run until none of them claims an
 * interrupt.
 */
static void handle_irq(void)
{
    unsigned line = arch_read_le8(INTERRUPT_ACKNOWLEDGE) & (IRQ_LINES - 1);
    bool shared = handlers[line][1].handler != NULL;
    bool claimed = run_handlers(handlers[line]);

    arch_irq_unclaimed += !claimed;
    while (claimed && shared) {
        claimed = run_handlers(handlers[line]);
    }
}

void interrupt_handle(uint32_t vector)
{
    stamp(STAMP_INTERRUPT);
    if (vector == VECTOR_EXTERNAL) {
        handle_irq();
    } else {
        ppc_handle_decrementer();
    }
}

static const char *vector_name(uint32_t vector)
{
    static const char *const names[] = {
        "reserved",
        "system reset",
        "machine check",
        "data storage",
        "instruction storage",
        "external interrupt",
        "alignment",
        "program",
        "floating-point unavailable",
        "decrementer",
        "reserved",
        "reserved",
        "system call",
        "trace",
        "floating-point assist",
    };

    return vector / VECTOR_STEP < sizeof names / sizeof names[0] ? names[vector / VECTOR_STEP]
                                                                 : "processor-specific";
}

static void say_fault(const struct trap_frame *f)
{
    if (f->vector == VECTOR_DATA) {
        fault_say(f->dar, f->dsisr & DSISR_STORE ? FAULT_WRITE : FAULT_READ);
    } else if (f->vector == VECTOR_INSTRUCTION || f->vector == VECTOR_INSTRUCTION_MISS ||
               f->srr0 < VECTOR_FIRST) {
        fault_say(f->srr0, FAULT_EXECUTE);
    }
}

static _Noreturn void exception_report(const struct trap_frame *f)
{
    printf("\nvtnet: exception 0x%03x (%s) at srr0 %08x\n", (unsigned)f->vector,
           vector_name(f->vector), (unsigned)f->srr0);
    printf("  srr1 %08x  msr %08x  dsisr %08x  dar %08x\n", (unsigned)f->srr1, (unsigned)f->msr,
           (unsigned)f->dsisr, (unsigned)f->dar);
    printf("  cr %08x  lr %08x  ctr %08x  xer %08x\n", (unsigned)f->cr, (unsigned)f->lr,
           (unsigned)f->ctr, (unsigned)f->xer);
    for (unsigned i = 0; i < 32; i += 4) {
        printf("  r%-2u %08x  r%-2u %08x  r%-2u %08x  r%-2u %08x\n", i, (unsigned)f->gpr[i], i + 1,
               (unsigned)f->gpr[i + 1], i + 2, (unsigned)f->gpr[i + 2], i + 3,
               (unsigned)f->gpr[i + 3]);
    }
    say_fault(f);
    arch_exit(false);
}

void exception_handle(const struct trap_frame *f)
{
    if (f->vector != VECTOR_DATA || !(f->dsisr & DSISR_NO_PAGE) || !ppc_add_page(f->dar)) {
        exception_report(f);
    }
}
