/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_dp8390.h"

#include <string.h>

#include "net/legacy/ne2000_spec.h"

enum { PORT = 0xc100, PAGE = 256 };

struct fake_dp8390 fake_dp8390;
static struct fake_dp8390 *const d = &fake_dp8390;

static const uint8_t prom[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

static unsigned pstart(void)
{
    return d->page[0][DP8390_PSTART];
}

static unsigned pstop(void)
{
    return d->page[0][DP8390_PSTOP];
}

static uint8_t *memory_at(unsigned address)
{
    if (address >= d->memory_end) {
        address -= 0x4000;
    }
    assert_true(address < NE2000_PROM_SIZE ||
                (address >= NE2000_PAGE_FIRST * PAGE && address < d->memory_end));
    return &d->memory[address];
}

static void moved(unsigned bytes)
{
    assert_true(d->count >= bytes); /* otherwise the card never ends the transfer */
    d->words++;
    d->address = (uint16_t)(d->address + bytes);
    d->count = (uint16_t)(d->count - bytes);
    if (d->address == pstop() * PAGE) {
        d->address = (uint16_t)(pstart() * PAGE);
    }
    if (d->count == 0) {
        d->isr |= DP8390_ISR_RDC;
    }
}

void fake_dp8390_sent(void)
{
    unsigned length = d->page[0][DP8390_TBCR0] | d->page[0][DP8390_TBCR1] << 8;

    assert_true(d->cr & DP8390_CR_TXP);
    assert_in_range(length, 60, 1518);
    assert_in_range(d->sent_count, 0, 63);
    memcpy(d->sent[d->sent_count], memory_at(d->page[0][DP8390_TPSR] * PAGE), length);
    d->sent_length[d->sent_count++] = (uint16_t)length;
    d->cr &= (uint8_t)~DP8390_CR_TXP;
    d->isr |= DP8390_ISR_PTX;
}

static void write_command(uint8_t value)
{
    bool transmitting = d->cr & DP8390_CR_TXP;

    assert_true(!(value & DP8390_CR_STP) != !(value & DP8390_CR_STA));
    d->starts += d->cr & DP8390_CR_STP && value & DP8390_CR_STA;
    d->cr = value;
    if (value & DP8390_CR_STP) {
        d->isr |= DP8390_ISR_RST;
        return;
    }
    d->isr &= (uint8_t)~DP8390_ISR_RST;
    if (value & (DP8390_CR_READ | DP8390_CR_WRITE)) {
        d->address = (uint16_t)(d->page[0][DP8390_RSAR0] | d->page[0][DP8390_RSAR1] << 8);
        d->count = (uint16_t)(d->page[0][DP8390_RBCR0] | d->page[0][DP8390_RBCR1] << 8);
    }
    if (value & DP8390_CR_TXP) {
        assert_false(transmitting);
        if (!d->slow) {
            fake_dp8390_sent();
        }
    } else if (transmitting) {
        d->cr |= DP8390_CR_TXP; /* a transmission cannot be cancelled */
    }
}

static uint32_t read_port(void *context, unsigned bar, uint32_t offset, unsigned width)
{
    uint32_t value = 0;

    (void)context;
    (void)bar;
    if (offset == NE2000_DATA) {
        assert_int_equal(width, 4);
        assert_true(d->cr & DP8390_CR_READ);
        for (unsigned i = 0; i < width; i++) {
            value |= (uint32_t)memory_at(d->address)[i] << 8 * i;
        }
        moved(width);
        return value;
    }
    assert_int_equal(width, 1);
    if (offset == NE2000_RESET) {
        d->resets++;
        d->isr = d->dead ? 0 : DP8390_ISR_RST;
        return 0;
    }
    assert_in_range(offset, 0, 15);
    if (offset == DP8390_CR) {
        return d->cr;
    }
    switch (d->cr >> 6 << 4 | offset) {
    case DP8390_ISR:
        return d->isr;
    case 0x10 | DP8390_CURR:
        return d->curr;
    case 0x30 | RTL8029_CONFIG3:
        return RTL8029_CONFIG3_FULL_DUPLEX;
    default:
        fail_msg("register %u of page %u is read", (unsigned)offset, d->cr >> 6);
        return 0;
    }
}

static void write_port(void *context, unsigned bar, uint32_t offset, unsigned width, uint32_t value)
{
    (void)context;
    (void)bar;
    if (offset == NE2000_DATA) {
        assert_int_equal(width, 4);
        assert_true(d->cr & DP8390_CR_WRITE);
        for (unsigned i = 0; i < width; i++) {
            memory_at(d->address)[i] = (uint8_t)(value >> 8 * i);
        }
        moved(width);
        return;
    }
    assert_int_equal(width, 1);
    if (offset == NE2000_RESET) {
        return;
    }
    assert_in_range(offset, 0, 15);
    if (offset == DP8390_CR) {
        write_command((uint8_t)value);
        return;
    }
    d->page[d->cr >> 6][offset] = (uint8_t)value;
    switch (d->cr >> 6 << 4 | offset) {
    case DP8390_ISR:
        d->isr &= (uint8_t) ~(value & 0x7f);
        break;
    case DP8390_IMR:
        d->imr = (uint8_t)value;
        break;
    case DP8390_BNRY:
        assert_in_range(value, pstart(), pstop() - 1);
        d->bnry = (uint8_t)value;
        break;
    case 0x10 | DP8390_CURR:
        d->curr = (uint8_t)value;
        break;
    default:
        break;
    }
}

void fake_dp8390_create(void)
{
    fake_pci_reset();
    memset(d, 0, sizeof *d);
    d->memory_end = sizeof d->memory;
    d->cr = DP8390_CR_STP | DP8390_CR_ABORT;
    for (unsigned i = 0; i < sizeof prom; i++) {
        d->memory[2 * i] = d->memory[2 * i + 1] = prom[i];
    }
    d->function = fake_pci_add(3 << 3, RTL8029_VENDOR, RTL8029_DEVICE);
    fake_pci_bar(d->function, 0, FAKE_BAR_IO, 256, PORT);
    d->function->read = read_port;
    d->function->write = write_port;
}

bool fake_dp8390_receive(const void *frame, unsigned length)
{
    unsigned pages = (length + DP8390_HEADER_SIZE + DP8390_CRC_SIZE + PAGE - 1) / PAGE;
    unsigned ring = pstop() - pstart();
    unsigned next = pstart() + (d->curr - pstart() + pages) % ring;
    unsigned count = length + DP8390_CRC_SIZE;
    const uint8_t header[DP8390_HEADER_SIZE] = {DP8390_RSR_PRX, (uint8_t)next, (uint8_t)count,
                                                (uint8_t)(count >> 8)};

    assert_true(d->cr & DP8390_CR_STA);
    if ((d->bnry + ring - d->curr) % ring <= pages) {
        d->isr |= DP8390_ISR_OVW;
        return false;
    }
    for (unsigned i = 0; i < sizeof header + length; i++) {
        unsigned at = (d->curr - pstart()) * PAGE + i;

        *memory_at(pstart() * PAGE + at % (ring * PAGE)) =
            i < sizeof header ? header[i] : ((const uint8_t *)frame)[i - sizeof header];
    }
    d->curr = (uint8_t)next;
    d->isr |= DP8390_ISR_PRX;
    return true;
}

bool fake_dp8390_line(void)
{
    return d->isr & d->imr & 0x7f;
}
