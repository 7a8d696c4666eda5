/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds network cards on PCI and connects them to their drivers and interrupt lines. */
#include "net/nic_open.h"

#include <stdio.h>

#include "arch/arch.h"

static const struct nic_driver *const drivers[] = {&nic_virtio, &nic_i82559, &nic_ne2000};

struct search {
    struct nic *const *nics;
    unsigned count;
    unsigned opened;
    const struct nic_driver *failed; /* failed to open the card at `failed_at` */
    uint16_t failed_at;
};

static const struct nic_driver *find_driver(const struct vpci_device *pci)
{
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++) {
        if (drivers[i]->matches(pci)) {
            return drivers[i];
        }
    }
    return NULL;
}

static bool handle_interrupt(void *context)
{
    struct nic *nic = context;
    bool ours = nic->driver->interrupt(nic->state);

    if (ours) {
        nic_wake();
    }
    return ours;
}

static void connect_interrupts(struct nic *nic)
{
    unsigned vectors = nic->info.vectors;

    if (vectors != 0) {
        printf("vtnet: interrupts: MSI-X, %u vector%s\n", vectors, vectors == 1 ? "" : "s");
    } else if (arch_irq_register(nic->pci.irq_line, handle_interrupt, nic)) {
        vpci_enable_line(&nic->pci);
        printf("vtnet: interrupts: INTx line %u\n", nic->pci.irq_line);
    } else {
        printf("vtnet: interrupts: this machine has no INTx line %u: frames wait for the clock's "
               "tick\n",
               nic->pci.irq_line);
    }
}

/* A vpci_scan() visitor: opens each card with a driver. */
static bool consider(const struct vpci_device *pci, void *context)
{
    struct search *search = context;
    const struct nic_driver *driver = find_driver(pci);
    struct nic *nic;

    if (driver == NULL) {
        if (pci->class_code >> 8 == VPCI_CLASS_NETWORK) {
            printf("vtnet: " VPCI_BDF_FORMAT " %04x:%04x is a network card that has no driver\n",
                   VPCI_BDF_ARGS(pci->bdf), pci->vendor, pci->device);
        }
        return true;
    }
    if (search->opened == search->count) {
        printf("vtnet: " VPCI_BDF_FORMAT " %s is not used: the maximum is %u cards\n",
               VPCI_BDF_ARGS(pci->bdf), driver->name, search->count);
        return true;
    }
    nic = search->nics[search->opened];
    printf("vtnet: " VPCI_BDF_FORMAT " %04x:%04x %s\n", VPCI_BDF_ARGS(pci->bdf), pci->vendor,
           pci->device, driver->name);
    nic->info = (struct nic_info){0};
    nic->state = driver->open(pci, nic->client, &nic->info);
    if (nic->state != NULL) {
        nic->driver = driver;
        nic->pci = *pci;
        search->opened++;
    } else {
        search->failed = driver;
        search->failed_at = pci->bdf;
    }
    return true;
}

unsigned nic_open(struct nic *const nics[], unsigned count, void (*wake)(void))
{
    struct search search = {.nics = nics, .count = count};
    unsigned functions;
    bool enabled;

    nic_on_wake(wake);
    vpci_setup_bridges();
    functions = vpci_scan(consider, &search);
    if (functions == 0) {
        printf("vtnet: this machine has no PCI bus: start QEMU with another machine (-M pc; on "
               "PowerPC -M 40p)\n");
    } else if (search.opened == 0 && search.failed != NULL) {
        printf("vtnet: no usable network card: %s at " VPCI_BDF_FORMAT
               " failed; the lines above give the reason\n",
               search.failed->name, VPCI_BDF_ARGS(search.failed_at));
    } else if (search.opened == 0) {
        printf("vtnet: no usable network card among %u PCI functions: start QEMU with "
               "-device virtio-net-pci\n",
               functions);
        arch_screen_say("\nAdd a card to QEMU's command: -nic user,model=virtio-net-pci\n");
    }
    /*
     * With interrupts off: a line shared by cards must not interrupt before all of them are
     * connected.
     */
    enabled = arch_interrupts_save();
    for (unsigned i = 0; i < search.opened; i++) {
        connect_interrupts(nics[i]);
    }
    arch_interrupts_restore(enabled);
    for (unsigned i = 0; i < search.opened; i++) {
        if (nics[i]->driver->start != NULL) {
            nics[i]->driver->start(nics[i]->state);
        }
    }
    return search.opened;
}
