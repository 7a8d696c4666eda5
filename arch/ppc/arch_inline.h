/* SPDX-License-Identifier: BSD-2-Clause */
/* The inline functions of arch/arch.h for PowerPC PReP machines with a 602, 603 or 604. */
#ifndef ARCH_INLINE_H
#define ARCH_INLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCH_NAME "ppc"

/* PReP's address map: the processor's addresses of the two PCI spaces. */
#define ARCH_PCI_IO 0x80000000u
#define ARCH_PCI_MEMORY 0xc0000000u

#define ARCH_PCI_RAM 0x80000000u /* address of RAM as seen from PCI */

/*
 * I/O: above the range that OpenBIOS allocates. Memory: also above its range, and below QEMU's
 * fw_cfg, whose address is inside of PCI memory space.
 */
#define ARCH_BUS_IO_FIRST 0x4000u
#define ARCH_BUS_IO_LAST 0xffffu
#define ARCH_BUS_MEMORY_FIRST 0x10000000u
#define ARCH_BUS_MEMORY_LAST 0x2fffffffu

#define ARCH_MSR_POW 0x00040000u         /* power management: sleep */
#define ARCH_MSR_EE 0x00008000u          /* enables external interrupts and the decrementer */
#define ARCH_MSR_TRANSLATION 0x00000030u /* address translation for instructions and data */
#define ARCH_MSR_DATA 0x00000010u
#define ARCH_MSR_ME 0x00001000u /* enables machine check exceptions */

/*
 * Accesses are byte-reversed, as PCI is little-endian. The sync before an access orders it after
 * earlier stores to memory, which it may announce, and after earlier device accesses (so eieio is
 * not needed). The sync after a read orders later loads after it.
 */
#define ARCH_DEFINE_ACCESS(bits, type, load, store)                                                \
    static inline type arch_read_le##bits(uint32_t address)                                        \
    {                                                                                              \
        type value;                                                                                \
                                                                                                   \
        __asm__ volatile("sync\n\t" load " %0, 0, %1\n\tsync"                                      \
                         : "=r"(value)                                                             \
                         : "r"(address)                                                            \
                         : "memory");                                                              \
        return value;                                                                              \
    }                                                                                              \
    static inline void arch_write_le##bits(uint32_t address, type value)                           \
    {                                                                                              \
        __asm__ volatile("sync\n\t" store " %0, 0, %1" ::"r"(value), "r"(address) : "memory");     \
    }                                                                                              \
    static inline type arch_io_read##bits(uint32_t port)                                           \
    {                                                                                              \
        return arch_read_le##bits(ARCH_PCI_IO + port);                                             \
    }                                                                                              \
    static inline void arch_io_write##bits(uint32_t port, type value)                              \
    {                                                                                              \
        arch_write_le##bits(ARCH_PCI_IO + port, value);                                            \
    }                                                                                              \
    static inline type arch_bus_read##bits(uint32_t address)                                       \
    {                                                                                              \
        return arch_read_le##bits(ARCH_PCI_MEMORY + address);                                      \
    }                                                                                              \
    static inline void arch_bus_write##bits(uint32_t address, type value)                          \
    {                                                                                              \
        arch_write_le##bits(ARCH_PCI_MEMORY + address, value);                                     \
    }

ARCH_DEFINE_ACCESS(8, uint8_t, "lbzx", "stbx")
ARCH_DEFINE_ACCESS(16, uint16_t, "lhbrx", "sthbrx")
ARCH_DEFINE_ACCESS(32, uint32_t, "lwbrx", "stwbrx")

/* Words in memory order. Accesses to a device are ordered among themselves. */
struct arch_word {
    uint32_t value;
} __attribute__((packed, may_alias));

static inline void arch_io_read32s(uint32_t port, void *to, size_t count)
{
    const volatile uint32_t *from = (const volatile uint32_t *)(ARCH_PCI_IO + port);
    struct arch_word *word = to;

    __asm__ volatile("sync" ::: "memory");
    while (count-- != 0) {
        (word++)->value = *from;
    }
    __asm__ volatile("sync" ::: "memory");
}

static inline void arch_io_write32s(uint32_t port, const void *from, size_t count)
{
    volatile uint32_t *to = (volatile uint32_t *)(ARCH_PCI_IO + port);
    const struct arch_word *word = from;

    __asm__ volatile("sync" ::: "memory");
    while (count-- != 0) {
        *to = (word++)->value;
    }
}

static inline uint32_t arch_read_msr(void)
{
    uint32_t msr;

    __asm__ volatile("mfmsr %0" : "=r"(msr)::"memory");
    return msr;
}

static inline void arch_write_msr(uint32_t msr)
{
    __asm__ volatile("mtmsr %0" ::"r"(msr) : "memory");
}

static inline void arch_interrupts_on(void)
{
    arch_write_msr(arch_read_msr() | ARCH_MSR_EE);
}

static inline void arch_interrupts_off(void)
{
    arch_write_msr(arch_read_msr() & ~ARCH_MSR_EE);
}

static inline bool arch_interrupts_save(void)
{
    uint32_t msr = arch_read_msr();

    if (msr & ARCH_MSR_EE) {
        arch_write_msr(msr & ~ARCH_MSR_EE);
    }
    return msr & ARCH_MSR_EE;
}

static inline void arch_interrupts_restore(bool on)
{
    if (on) {
        arch_interrupts_on();
    }
}

/*
 * A single mtmsr enables interrupts and puts the processor to sleep, so no interrupt can occur in
 * between. If an interrupt is already pending, POW has no effect but remains set. So POW is cleared
 * afterwards; EE stays set.
 */
static inline void arch_wait(void)
{
    uint32_t msr = arch_read_msr() | ARCH_MSR_EE;

    __asm__ volatile("sync\n\tmtmsr %0\n\tisync" ::"r"(msr | ARCH_MSR_POW) : "memory");
    arch_write_msr(msr);
}

/* These processors have no such hint instruction. */
static inline void arch_pause(void)
{
    __asm__ volatile("" ::: "memory");
}

static inline uint32_t arch_bus_address(const void *memory)
{
    return ARCH_PCI_RAM + (uint32_t)(uintptr_t)memory;
}

/* The console consists of the serial port only. */
static inline void arch_screen_init(void)
{
}

static inline void arch_screen_putc(char c)
{
    (void)c;
}

static inline void arch_screen_say(const char *text)
{
    (void)text;
}

static inline void arch_screen_show_cursor(void)
{
}

static inline void arch_keyboard_start(arch_irq_handler_t heard)
{
    (void)heard;
}

static inline int arch_keyboard_getc(void)
{
    return -1;
}

static inline uint32_t ppc_time_base_upper(void)
{
    uint32_t high;

    __asm__ volatile("mftbu %0" : "=r"(high)::"memory");
    return high;
}

/* The time base. */
static inline uint64_t arch_counter(void)
{
    uint32_t high, low;

    do {
        high = ppc_time_base_upper();
        __asm__ volatile("mftb %0" : "=r"(low)::"memory");
    } while (high != ppc_time_base_upper());
    return (uint64_t)high << 32 | low;
}

/* The selector is big-endian; data is read byte by byte. */
#define ARCH_FW_CFG 0xf0000510u

static inline void arch_fw_cfg_select(uint16_t key)
{
    arch_write_le16(ARCH_FW_CFG, __builtin_bswap16(key));
}

static inline uint8_t arch_fw_cfg_read8(void)
{
    return arch_read_le8(ARCH_FW_CFG + 2);
}

#endif
