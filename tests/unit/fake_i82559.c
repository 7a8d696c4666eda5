/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_i82559.h"

#include <string.h>

#include "fake_platform.h"

enum {
    CSR_STATUS = 0,
    CSR_ACK = 1,
    CSR_COMMAND = 2,
    CSR_MASK = 3,
    CSR_POINTER = 4,
    CSR_PORT = 8,
    CSR_EEPROM = 14,
    CSR_MDI = 16,
    COMPLETE = 0x8000,
    OK = 0x2000,
    EL = 0x8000,
    S = 0x4000,
    I = 0x2000,
    CX = 0x80,
    FR = 0x40,
    CNA = 0x20,
    RNR = 0x10,
    CU_ACTIVE = 2,
    COMMANDS_AT_ONCE = 16,
    EEPROM_CLOCKS = 9, /* start bit, opcode, 6 bits of address */
};

uint16_t fake_i82559_get16(uint32_t address)
{
    const uint8_t *b = fake_dma(address, 2);

    return (uint16_t)(b[0] | b[1] << 8);
}

uint32_t fake_i82559_get32(uint32_t address)
{
    return fake_i82559_get16(address) | (uint32_t)fake_i82559_get16(address + 2) << 16;
}

static void put16(uint32_t address, uint16_t value)
{
    uint8_t *b = fake_dma(address, 2);

    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
}

/* "Transmit (100b)" in flexible mode. */
static void transmit(struct fake_i82559 *fake, uint32_t at)
{
    uint32_t tbd = fake_i82559_get32(at + 8);
    unsigned count = *(uint8_t *)fake_dma(at + 15, 1);
    unsigned length = 0;

    assert_true(count > 0);
    assert_int_equal(fake_i82559_get16(at + 12), 0);
    for (unsigned i = 0; i < count; i++, tbd += 8) {
        unsigned size = fake_i82559_get16(tbd + 4);

        assert_true(length + size <= sizeof fake->frame[0]);
        memcpy(&fake->frame[fake->sent % 256][length], fake_dma(fake_i82559_get32(tbd), size),
               size);
        length += size;
        assert_int_equal(fake_i82559_get16(tbd + 6), i + 1 == count);
    }
    fake->length[fake->sent++ % 256] = length;
}

static void set_groups(struct fake_i82559 *fake, uint32_t at)
{
    unsigned bytes = fake_i82559_get16(at + 8);

    assert_true(bytes % 6 == 0 && bytes < sizeof fake->groups);
    fake->groups[0] = (uint8_t)(bytes / 6);
    memcpy(fake->groups + 1, fake_dma(at + 10, bytes), bytes);
}

static void execute(struct fake_i82559 *fake)
{
    fake->cu_state = CU_ACTIVE;
    for (unsigned i = 0; i < COMMANDS_AT_ONCE; i++) {
        uint32_t at = fake->cu_base + fake->cu_next;
        uint16_t command = fake_i82559_get16(at + 2);

        fake->cu_next = fake_i82559_get32(at + 4);
        switch (command & 7) {
        case 1:
            memcpy(fake->address, fake_dma(at + 8, 6), 6);
            break;
        case 2:
            memcpy(fake->configuration, fake_dma(at + 8, 22), 22);
            break;
        case 3:
            set_groups(fake, at);
            break;
        case 4:
            assert_true(command & 8);
            transmit(fake, at);
            break;
        default:
            fail_msg("the card was told to do command 0x%x", command);
        }
        put16(at, COMPLETE | OK);
        fake->ack |= command & I ? CX : 0;
        if (command & (EL | S)) {
            fake->cu_state = command & EL ? 0 : FAKE_CU_SUSPENDED;
            fake->ack |= CNA;
            return;
        }
    }
}

static void do_command(struct fake_i82559 *fake, uint8_t command)
{
    if (fake->deaf) {
        fake->command = command;
        return;
    }
    switch (command) {
    case 0x10:
        fake->starts++;
        fake->cu_next = fake->pointer;
        if (!fake->commands_lost) {
            execute(fake);
        }
        break;
    case 0x20:
        fake->resumes++;
        if (!fake->commands_lost) {
            execute(fake);
        }
        break;
    case 0x60:
        fake->cu_base = fake->pointer;
        break;
    case 0x01:
        fake->ru_starts++;
        fake->ru_state = FAKE_RU_READY;
        fake->ru_next = fake->pointer;
        break;
    case 0x06:
        fake->ru_base = fake->pointer;
        break;
    default:
        fail_msg("the card was given command 0x%x", command);
    }
}

/* A 93C46: input and output on each rising clock edge. */
static void set_pins(struct fake_i82559 *fake, uint8_t pins)
{
    bool rises = pins & 1 && !(fake->pins & 1);

    fake->pins = pins;
    if (!(pins & 2)) {
        fake->shifted = 0;
        fake->started = false;
        fake->output = true;
        return;
    }
    if (!rises || (!fake->started && !(pins & 4))) {
        return;
    }
    fake->started = true;
    fake->shifted++;
    if (fake->shifted <= EEPROM_CLOCKS) {
        fake->input = fake->input << 1 | (pins >> 2 & 1);
        fake->output = fake->shifted < EEPROM_CLOCKS;
    } else if (fake->shifted <= EEPROM_CLOCKS + 16) {
        assert_int_equal(fake->input >> 6 & 7, 6);
        fake->output = fake->eeprom[fake->input & 63] >> (EEPROM_CLOCKS + 16 - fake->shifted) & 1;
    }
}

static uint32_t read_mdi(const struct fake_i82559 *fake)
{
    unsigned number = fake->mdi >> 16 & 31;

    assert_int_equal(fake->mdi >> 26, 2);
    if ((fake->mdi >> 21 & 31) != fake->eeprom[6]) {
        return 1u << 28;
    }
    return 1u << 28 | (number == 1 ? (fake->link ? 0x782d : 0x7809) : 0x1e1);
}

static uint32_t read_csr(void *context, unsigned bar, uint32_t offset, unsigned width)
{
    struct fake_i82559 *fake = context;
    uint32_t states = (uint32_t)(fake->cu_state << 6 | fake->ru_state << 2);

    (void)bar;
    switch (offset << 4 | width) {
    case CSR_STATUS << 4 | 2:
        fake->status_reads++;
        return states | (uint32_t)fake->ack << 8;
    case CSR_ACK << 4 | 1:
        return fake->ack;
    case CSR_COMMAND << 4 | 1:
        return fake->command;
    case CSR_EEPROM << 4 | 1:
        return (uint32_t)((fake->pins & 7) | (fake->output ? 8 : 0));
    case CSR_MDI << 4 | 4:
        return read_mdi(fake);
    default:
        fail_msg("register 0x%x was read by %u bytes", (unsigned)offset, width);
        return 0;
    }
}

static void write_csr(void *context, unsigned bar, uint32_t offset, unsigned width, uint32_t value)
{
    struct fake_i82559 *fake = context;

    (void)bar;
    switch (offset << 4 | width) {
    case CSR_ACK << 4 | 1:
        fake->ack &= (uint8_t)~value;
        break;
    case CSR_COMMAND << 4 | 1:
        do_command(fake, (uint8_t)value);
        break;
    case CSR_MASK << 4 | 1:
        fake->mask = (uint8_t)value;
        break;
    case CSR_POINTER << 4 | 4:
        fake->pointer = value;
        break;
    case CSR_PORT << 4 | 4:
        assert_true(value == 0 || value == 2);
        fake->cu_state = 0;
        fake->ru_state = 0;
        fake->mask = 0;
        fake->ack = 0;
        break;
    case CSR_EEPROM << 4 | 1:
        set_pins(fake, (uint8_t)value);
        break;
    case CSR_MDI << 4 | 4:
        fake->mdi = value;
        break;
    default:
        fail_msg("register 0x%x was written by %u bytes", (unsigned)offset, width);
    }
}

void fake_i82559_open(struct fake_i82559 *fake, const uint8_t mac[6], bool memory)
{
    struct fake_function *function = fake_pci_add(3 << 3, 0x8086, 0x1209);
    uint16_t sum = 0;

    memset(fake, 0, sizeof *fake);
    fake->link = true;
    for (unsigned i = 0; i < 3; i++) {
        fake->eeprom[i] = (uint16_t)(mac[2 * i] | mac[2 * i + 1] << 8);
    }
    fake->eeprom[6] = 9; /* an unusual PHY address */
    for (unsigned i = 0; i < 63; i++) {
        sum = (uint16_t)(sum + fake->eeprom[i]);
    }
    fake->eeprom[63] = (uint16_t)(0xbaba - sum);
    function->read = read_csr;
    function->write = write_csr;
    function->context = fake;
    if (memory) {
        fake_pci_bar(function, 0, FAKE_BAR_MEM32, 4096, 0);
    } else {
        fake_pci_bar(function, 1, FAKE_BAR_IO, 64, 0);
    }
}

bool fake_i82559_receive(struct fake_i82559 *fake, const void *frame, unsigned length)
{
    uint32_t at = fake->ru_base + fake->ru_next;
    uint16_t command;

    if (fake->ru_state != FAKE_RU_READY) {
        fake->ack |= RNR;
        return false;
    }
    command = fake_i82559_get16(at + 2);
    assert_true(length <= fake_i82559_get16(at + 14));
    assert_int_equal(fake_i82559_get16(at), 0);
    memcpy(fake_dma(at + 16, length), frame, length);
    put16(at + 12, fake->lie_count != 0 ? fake->lie_count : (uint16_t)length);
    put16(at, fake->lie_status != 0 ? fake->lie_status : COMPLETE | OK);
    fake->lie_count = 0;
    fake->lie_status = 0;
    fake->ru_next = fake_i82559_get32(at + 4);
    fake->ack |= FR;
    if (command & EL || fake->sees_end) {
        fake->sees_end = false;
        fake->ru_state = FAKE_RU_NO_RESOURCES;
        fake->ru_next = UINT32_MAX; /* the RU cannot continue from here */
        fake->ack |= RNR;
    }
    return true;
}

bool fake_i82559_line(const struct fake_i82559 *fake)
{
    return !(fake->mask & 1) && fake->ack & (uint8_t)~fake->mask;
}
