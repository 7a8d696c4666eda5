/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the network card on PCI and connects it to its driver and its interrupt line. */
#include "net/nic.h"

#include <stdio.h>

#include "arch/arch.h"

static void (*wake_loop)(void);

void nic_wake(void)
{
    wake_loop();
}

static const struct nic_driver *const drivers[] = {&nic_virtio};

struct search {
    struct nic *nic;
    const struct nic_client *client;
};

static const struct nic_driver *find_driver(const struct pci_device *pci)
{
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++) {
        if (drivers[i]->matches(pci)) {
            return drivers[i];
        }
    }
    return NULL;
}

/* A pci_scan() visitor: takes the first card that can be opened. */
static bool consider(const struct pci_device *pci, void *context)
{
    struct search *search = context;
    struct nic *nic = search->nic;
    const struct nic_driver *driver = find_driver(pci);

    if (driver == NULL) {
        if (pci->class >> 8 == PCI_CLASS_NETWORK) {
            printf("vtnet: " PCI_BDF_FORMAT " %04x:%04x is a network card without a driver here\n",
                   PCI_BDF_ARGS(pci->bdf), pci->vendor, pci->device);
        }
        return true;
    }
    if (nic->driver != NULL) {
        printf("vtnet: " PCI_BDF_FORMAT " %s is left unused: only the first card is served\n",
               PCI_BDF_ARGS(pci->bdf), driver->name);
        return true;
    }
    printf("vtnet: " PCI_BDF_FORMAT " %04x:%04x %s\n", PCI_BDF_ARGS(pci->bdf), pci->vendor,
           pci->device, driver->name);
    nic->state = driver->open(pci, search->client);
    if (nic->state != NULL) {
        nic->driver = driver;
        nic->pci = *pci;
    }
    return true;
}

static bool handle_interrupt(void *context)
{
    struct nic *nic = context;
    bool ours = nic->driver->interrupt(nic->state);

    if (ours) {
        wake_loop();
    }
    return ours;
}

static void connect_interrupts(struct nic *nic)
{
    unsigned vectors = nic->driver->vectors(nic->state);

    if (vectors != 0) {
        printf("vtnet: interrupts: MSI-X, %u vector%s\n", vectors, vectors == 1 ? "" : "s");
    } else if (arch_irq_register(nic->pci.irq_line, handle_interrupt, nic)) {
        printf("vtnet: interrupts: INTx line %u\n", nic->pci.irq_line);
    } else {
        printf("vtnet: interrupts: INTx line %u is not one of this machine: frames wait for the "
               "clock's tick\n",
               nic->pci.irq_line);
    }
}

bool nic_open(struct nic *nic, const struct nic_client *client, void (*wake)(void))
{
    struct search search = {nic, client};
    unsigned functions;

    wake_loop = wake;
    pci_setup_bridges();
    functions = pci_scan(consider, &search);
    if (nic->driver == NULL) {
        printf("vtnet: no usable virtio network device among %u PCI functions: start QEMU with "
               "-device virtio-net-pci\n",
               functions);
        return false;
    }
    connect_interrupts(nic);
    return true;
}
