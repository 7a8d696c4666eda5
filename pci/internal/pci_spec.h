/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space, from the PCI Local Bus Specification 3.0. */
#ifndef VTNET_PCI_SPEC_H
#define VTNET_PCI_SPEC_H

/* §6.1 Configuration Space Organization: offsets */
enum {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION_ID = 0x08,
    PCI_CLASS = 0x0a, /* sub-class in the low byte, base class in the high one */
    PCI_HEADER_TYPE = 0x0e,
    PCI_BAR0 = 0x10,
    PCI_SECONDARY_BUS = 0x19, /* of a PCI-to-PCI bridge */
    PCI_SUBSYSTEM_ID = 0x2e,
    PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
};
enum {
    PCI_COMMAND_IO = 0x1,
    PCI_COMMAND_MEMORY = 0x2,
    PCI_COMMAND_MASTER = 0x4,
    PCI_COMMAND_INTX_DISABLE = 0x400,
};
enum {
    PCI_STATUS_CAPABILITIES = 0x10,
    PCI_CLASS_BRIDGE_PCI = 0x0604,
    PCI_CAP_VENDOR_SPECIFIC = 0x09,
    PCI_CAP_MSIX = 0x11,
};

#endif
