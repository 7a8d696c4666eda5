/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For bench/trace/anatomy: a UDP echo that records time stamps on a datagram's way, and UDP port
 * 82, which returns them. A request begins with a number of 32 bits. The guest writes this number
 * to QEMU's firmware configuration device, so that QEMU can record it by its own clock. The answer
 * is the number, the guest's clock before and after that, and the stamps of the last echoed
 * datagram. All are big-endian; times are ns in 64 bits.
 */
#include "arch/arch.h"
#include "boot/boot.h"
#include "examples/net_config.h"
#include "net/net.h"
#include "net/services/listen.h"
#include "net/services/services.h"
#include "runtime/stamp.h"

enum {
    PORT = 82,
    QUESTION = 4,                               /* bytes */
    ANSWER = QUESTION + 8 * (2 + STAMP_POINTS), /* bytes */
    KEY = 0x3000,                               /* a file that the device does not have */
    KEY_MASK = 0x0fff,
};

static uint8_t *put(uint8_t *to, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        *to++ = (uint8_t)(value >> (56 - 8 * i));
    }
    return to;
}

static void answer(void *context, struct udp_pcb *pcb, struct pbuf *question, const ip_addr_t *from,
                   u16_t port)
{
    struct pbuf *reply = pbuf_alloc(PBUF_TRANSPORT, ANSWER, PBUF_RAM);
    const uint64_t *stamps = stamp_last();
    uint8_t *to;
    uint64_t before;

    (void)context;
    if (reply != NULL && pbuf_copy_partial(question, reply->payload, QUESTION, 0) == QUESTION) {
        to = reply->payload;
        before = arch_clock_ns();
        arch_fw_cfg_select((uint16_t)(KEY | ((to[2] << 8 | to[3]) & KEY_MASK)));
        to = put(to + QUESTION, before);
        to = put(to, arch_clock_ns());
        for (unsigned i = 0; i < STAMP_POINTS; i++) {
            to = put(to, stamps[i]);
        }
        udp_sendto(pcb, reply, from, port);
    }
    if (reply != NULL) {
        pbuf_free(reply);
    }
    pbuf_free(question);
}

int main(void)
{
    if (!net_start(net_config_from_boot()) || !echo_start() || !listen_udp(PORT, answer)) {
        return 1;
    }
    stamp_start();
    net_run();
    return 0;
}
