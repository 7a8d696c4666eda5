/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message-signalled interrupts. The local APIC receives the messages (Intel SDM volume 3, Advanced
 * Programmable Interrupt Controller). Interrupts of the 8259s then arrive through its pin LINT0
 * (virtual wire mode). The APIC is not touched before the first message is allocated.
 */
#include "arch/arch.h"
#include "arch/i386/internal.h"

#define APIC 0xfee00000u /* its registers, and the target address of messages */

enum {
    APIC_ID = 0x20, /* in bits 24 to 31 */
    APIC_VERSION = 0x30,
    APIC_TASK_PRIORITY = 0x80,
    APIC_EOI = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_LVT_LINT0 = 0x350,

    VERSION_INTEGRATED = 0x10, /* bits 4 to 7 of the version; lower: 82489DX; higher: no APIC */
    VERSION_MASK = 0xf0,
    SPURIOUS_ENABLE = 0x100,
    LVT_EXTINT = 0x700, /* not masked */
    MESSAGE_ID_SHIFT = 12,

    CPUID_EDX_APIC = 1 << 9,

    /* The last vector. Older processors require that its four low bits are ones. */
    SPURIOUS_VECTOR = I386_VECTORS - 1,
    MESSAGES = SPURIOUS_VECTOR - I386_VECTOR_MESSAGE,
};

struct message_handler {
    arch_irq_handler_t handler;
    void *context;
};

static struct message_handler handlers[MESSAGES];

static bool start_apic(void)
{
    struct i386_cpuid id;

    if (!i386_cpuid(1, &id) || !(id.edx & CPUID_EDX_APIC) ||
        (arch_bus_read32(APIC + APIC_VERSION) & VERSION_MASK) != VERSION_INTEGRATED) {
        return false;
    }
    arch_bus_write32(APIC + APIC_SPURIOUS, SPURIOUS_ENABLE | SPURIOUS_VECTOR);
    arch_bus_write32(APIC + APIC_LVT_LINT0, LVT_EXTINT);
    arch_bus_write32(APIC + APIC_TASK_PRIORITY, 0);
    return true;
}

bool arch_msi_allocate(arch_irq_handler_t handler, void *context, struct arch_msi *message)
{
    static bool started;

    started = started || start_apic();
    for (unsigned i = 0; started && i < MESSAGES; i++) {
        if (handlers[i].handler == NULL) {
            handlers[i].context = context;
            handlers[i].handler = handler;
            *message = (struct arch_msi){
                .address = APIC | arch_bus_read32(APIC + APIC_ID) >> 24 << MESSAGE_ID_SHIFT,
                .data = I386_VECTOR_MESSAGE + i, /* fixed delivery, edge */
            };
            return true;
        }
    }
    return false;
}

void arch_msi_free(const struct arch_msi *message)
{
    handlers[message->data - I386_VECTOR_MESSAGE].handler = NULL;
}

/* A spurious interrupt must not be acknowledged. */
void i386_message_handle(unsigned vector)
{
    const struct message_handler *h = &handlers[vector - I386_VECTOR_MESSAGE];

    if (vector == SPURIOUS_VECTOR) {
        arch_irq_unclaimed++;
        return;
    }
    arch_irq_unclaimed += h->handler == NULL || !h->handler(h->context);
    arch_bus_write32(APIC + APIC_EOI, 0);
}
