/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machines of fake_machine.h, as record-pci prints them: 16 bytes a row, as the processor reads
 * them in words of 32 bits; rows of zeros are left out. Recorded from
 *
 *   qemu-system-ppc -M prep ARGUMENTS    of QEMU 4.2.0
 *   qemu-system-ppc -M 40p ARGUMENTS     of QEMU 7.2.22 (Debian 12)
 *
 * where ARGUMENTS are
 *
 *   -bios build/ppc/vtnet-demo.elf -nic none -device virtio-net-pci,addr=3
 *   -device virtio-net-pci,addr=4,disable-legacy=on -device pci-bridge,id=b,chassis_nr=1,addr=5
 *   -device virtio-net-pci,bus=b,addr=1,disable-modern=on
 *
 * The devices of the command line are the same on both.
 */
#include "fake_machine.h"
#include "pci/internal/pci_spec.h"

#include "pci/pci.h"

enum {
    /* Instead of an offset: the values of base address registers after all ones were written. */
    SIZES_0 = 0x100, /* the first three */
    SIZES_3 = 0x110, /* the last three */

    BAR_IO = 0x1,
    BAR_IO_FLAGS = 0x3,
    BAR_MEM_TYPE = 0x6,
    BAR_MEM_64 = 0x4,
    BAR_MEM_FLAGS = 0xf,
};

struct row {
    uint16_t bdf;
    uint16_t offset;
    uint32_t word[4];
};

/* clang-format off */
static const struct row prep[] = {
    /* 00:00.0: host bridge, Motorola Raven */
    {0x0000, 0x00, {0x48011057, 0, 0x06000000, 0x00001000}},
    {0x0000, 0x20, {0, 0, 0, 0x11001af4}},
    /* 00:01.0: PCI-to-ISA bridge, Intel 82378 */
    {0x0008, 0x00, {0x04848086, 0x02000000, 0x06010003, 0}},
    {0x0008, 0x20, {0, 0, 0, 0x11001af4}},
    {0x0008, 0x30, {0, 0, 0, 0x00000100}},
    /* 00:02.0: display */
    {0x0010, 0x00, {0x11111234, 0, 0x03000002, 0}},
    {0x0010, 0x10, {0x00000008, 0, 0, 0}},
    {0x0010, 0x20, {0, 0, 0, 0x11001af4}},
    {0x0010, SIZES_0, {0xff000008, 0, 0xfffff000}},
};

static const struct row prep_40p[] = {
    /* 00:00.0: host bridge */
    {0x0000, 0x00, {0x48011057, 0, 0x06000000, 0x00001000}},
    {0x0000, 0x20, {0, 0, 0, 0x11001af4}},
    /* 00:01.0: SCSI, LSI 53C810 */
    {0x0008, 0x00, {0x00011000, 0, 0x01000000, 0x0000ff00}},
    {0x0008, 0x10, {0x00000001, 0, 0, 0}},
    {0x0008, 0x20, {0, 0, 0, 0x10000000}},
    {0x0008, 0x30, {0, 0, 0, 0x00000100}},
    {0x0008, SIZES_0, {0xffffff01, 0xfffffc00, 0xffffe000}},
    /* 00:02.0: display */
    {0x0010, 0x00, {0x11111234, 0, 0x03000002, 0}},
    {0x0010, 0x10, {0x00000008, 0, 0, 0}},
    {0x0010, 0x20, {0, 0, 0, 0x11001af4}},
    {0x0010, SIZES_0, {0xff000008, 0, 0xfffff000}},
    /* 00:0b.0: PCI-to-ISA bridge */
    {0x0058, 0x00, {0x04848086, 0x02000000, 0x06010003, 0}},
    {0x0058, 0x20, {0, 0, 0, 0x11001af4}},
    {0x0058, 0x30, {0, 0, 0, 0x00000100}},
};

static const struct row transitional[] = {
    /* 00:03.0: virtio-net-pci */
    {0x0018, 0x00, {0x10001af4, 0x00100000, 0x02000000, 0}},
    {0x0018, 0x10, {0x00000001, 0, 0, 0}},
    {0x0018, 0x20, {0x0000000c, 0, 0, 0x00011af4}},
    {0x0018, 0x30, {0, 0x00000084, 0, 0x00000100}},
    {0x0018, 0x40, {0x01100009, 0x00000004, 0, 0x00001000}},
    {0x0018, 0x50, {0x03104009, 0x00000004, 0x00001000, 0x00001000}},
    {0x0018, 0x60, {0x04105009, 0x00000004, 0x00002000, 0x00001000}},
    {0x0018, 0x70, {0x02146009, 0x00000004, 0x00003000, 0x00001000}},
    {0x0018, 0x80, {0x00000004, 0x05147009, 0, 0}},
    {0x0018, SIZES_0, {0xffffffe1, 0, 0}},
    {0x0018, SIZES_3, {0, 0xffffc00c, 0xffffffff}},
};

static const struct row modern[] = {
    /* 00:04.0: virtio-net-pci,disable-legacy=on */
    {0x0020, 0x00, {0x10411af4, 0x00100000, 0x02000001, 0}},
    {0x0020, 0x20, {0x0000000c, 0, 0, 0x11001af4}},
    {0x0020, 0x30, {0, 0x00000084, 0, 0x00000100}},
    {0x0020, 0x40, {0x01100009, 0x00000004, 0, 0x00001000}},
    {0x0020, 0x50, {0x03104009, 0x00000004, 0x00001000, 0x00001000}},
    {0x0020, 0x60, {0x04105009, 0x00000004, 0x00002000, 0x00001000}},
    {0x0020, 0x70, {0x02146009, 0x00000004, 0x00003000, 0x00001000}},
    {0x0020, 0x80, {0x00000004, 0x05147009, 0, 0}},
    {0x0020, SIZES_3, {0, 0xffffc00c, 0xffffffff}},
};

static const struct row legacy[] = {
    /* 01:01.0: virtio-net-pci,disable-modern=on */
    {0x0108, 0x00, {0x10001af4, 0, 0x02000000, 0}},
    {0x0108, 0x10, {0x00000001, 0, 0, 0}},
    {0x0108, 0x20, {0, 0, 0, 0x00011af4}},
    {0x0108, 0x30, {0, 0, 0, 0x00000100}},
    {0x0108, SIZES_0, {0xffffffe1, 0, 0}},
};

static const struct row bridge[] = {
    /* 00:05.0: pci-bridge */
    {0x0028, 0x00, {0x00011b36, 0x00b00000, 0x06040000, 0x00010000}},
    {0x0028, 0x10, {0x00000004, 0, 0, 0x00a00000}},
    {0x0028, 0x20, {0, 0x00010001, 0, 0}},
    {0x0028, 0x30, {0, 0x00000048, 0, 0x00000100}},
    {0x0028, 0x40, {0x0000000c, 0, 0x01204004, 0}},
    {0x0028, SIZES_0, {0xffffff04, 0xffffffff, 0}},
};
/* clang-format on */

static void set_bar(struct fake_function *f, unsigned index, uint32_t size)
{
    uint32_t flags = fake_pci_get(f, PCI_BAR0 + 4 * index, 4);

    if (size == 0) {
        return;
    }
    if (f->bar_upper[index]) {
        f->bar_mask[index] = size;
        return;
    }
    flags &= flags & BAR_IO ? BAR_IO_FLAGS : BAR_MEM_FLAGS;
    f->bar_flags[index] = flags;
    f->bar_mask[index] = size & ~flags;
    if (!(flags & BAR_IO) && (flags & BAR_MEM_TYPE) == BAR_MEM_64) {
        f->bar_upper[index + 1] = true;
    }
}

/* Consecutive rows belong to one function; its registers precede their sizes. */
static struct fake_function *add_rows(const struct row *row, unsigned count)
{
    struct fake_function *f = NULL;

    for (; count > 0; row++, count--) {
        if (f == NULL || f->bdf != row->bdf) {
            f = fake_pci_add(row->bdf, 0, 0);
        }
        for (unsigned i = 0; i < 4; i++) {
            if (row->offset < SIZES_0) {
                fake_pci_set(f, row->offset + 4 * i, 4, row->word[i]);
            } else if (i < 3) {
                set_bar(f, (row->offset - SIZES_0) / 16 * 3 + i, row->word[i]);
            }
        }
    }
    return f;
}
#define ADD_ROWS(rows) add_rows(rows, sizeof(rows) / sizeof(rows)[0])

/* The windows of arch/ppc/. */
static void reset(void)
{
    fake_pci_reset();
    fake_pci.window[true] = (struct vpci_window){0x4000, 0xffff};
    fake_pci.window[false] = (struct vpci_window){0x10000000, 0x2fffffff};
}

void fake_machine_prep(void)
{
    reset();
    ADD_ROWS(prep);
}

void fake_machine_40p(void)
{
    reset();
    ADD_ROWS(prep_40p);
}

static struct fake_function *moved(struct fake_function *function, uint16_t bdf)
{
    function->bdf = bdf;
    return function;
}

struct fake_function *fake_machine_add_transitional(uint16_t bdf)
{
    return moved(ADD_ROWS(transitional), bdf);
}

struct fake_function *fake_machine_add_modern(uint16_t bdf)
{
    return moved(ADD_ROWS(modern), bdf);
}

struct fake_function *fake_machine_add_legacy(uint16_t bdf)
{
    return moved(ADD_ROWS(legacy), bdf);
}

struct fake_function *fake_machine_add_bridge(uint16_t bdf)
{
    return moved(ADD_ROWS(bridge), bdf);
}
