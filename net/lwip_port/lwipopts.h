/* SPDX-License-Identifier: BSD-2-Clause */
/* lwIP's options, chosen for throughput and latency on one processor, each with its reason. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

/* No operating system: everything runs from one loop, in one context. */
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0

/* One allocator for everything, in constant time (runtime/memory.h): no pool to size wrongly, and
 * nothing in .bss, which firmware images have to keep small. */
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT 4

/* Timers without an allocation: net/lwip_port/timers.c. */
#define LWIP_TIMERS_CUSTOM 1

/* Frames go to the stack in the card's own buffers, and come from it with room for the card's
 * header in front of the Ethernet header. */
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define PBUF_LINK_ENCAPSULATION_HLEN 12
#define LWIP_NETIF_TX_SINGLE_PBUF 0

/* The link's callback tells the user; the hint keeps the ARP entry of a connection at hand. */
#define LWIP_NETIF_LINK_CALLBACK 1
#define LWIP_NETIF_EXT_STATUS_CALLBACK 1
#define LWIP_NETIF_HWADDRHINT 1
#define ETHARP_SUPPORT_STATIC_ENTRIES 0
/* Each netif may have a VLAN: net/lwip_port/vlan.c. */
#define ETHARP_SUPPORT_VLAN 1
#define LWIP_HOOK_FILENAME "net/lwip_port/hooks.h"
#define LWIP_HOOK_VLAN_SET(netif, p, src, dst, type) port_vlan_tag(netif)
/* Two connections that are opened at once must not lose the first one's SYN to the second's. */
#define ARP_QUEUEING 1
#define ARP_QUEUE_LEN 8

/* What the card can compute or has checked, lwIP does not: port_tx.c and port_rx.c. */
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1

/* IPv4's header is summed while it is written. */
#define LWIP_INLINE_IP_CHKSUM 1

#define LWIP_IPV4 1
#define LWIP_HOOK_IP4_INPUT(p, netif) port_ip4_input(p)
#define LWIP_ICMP 1
#define LWIP_IGMP 1
#define LWIP_RAW 0
#define LWIP_UDP 1
#define LWIP_TCP 1
#define LWIP_DHCP 1
/* Conflicts are noticed without the seconds that probing takes: net/lwip_port/conflict.c. But a
 * link-local address is found by probing (RFC 3927). */
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define LWIP_AUTOIP 1
#define LWIP_ACD 1
/* Lost questions are asked again after 0.5, 1 and 2 s: net/addresses.c does not wait long. A lease is
 * counted in seconds, so that a short one is renewed before its end; net/lease.c sets the times. */
#define DHCP_DEFINE_CUSTOM_TIMEOUTS 1
#define DHCP_REQUEST_BACKOFF_SEQUENCE(tries) ((u16_t)((tries) < 8 ? 250 << (tries) : 60000))
#define DHCP_COARSE_TIMER_SECS 1
#define DHCP_TIMEOUT_SIZE_T u32_t
#define DHCP_SET_TIMEOUT_FROM_OFFERED_T0_LEASE(to, dhcp) (to = (dhcp)->offered_t0_lease)
#define DHCP_SET_TIMEOUT_FROM_OFFERED_T1_RENEW(to, dhcp) (to = (dhcp)->offered_t1_renew)
#define DHCP_SET_TIMEOUT_FROM_OFFERED_T2_REBIND(to, dhcp) (to = (dhcp)->offered_t2_rebind)
#define LWIP_HOOK_DHCP_APPEND_OPTIONS(netif, dhcp, state, message, type, length) port_dhcp_sending()
#define DHCP_NEXT_TIMEOUT_THRESHOLD 60

#define LWIP_IPV6 1
/* Link-local, static, and two that routers announce. */
#define LWIP_IPV6_NUM_ADDRESSES 4
#define LWIP_HOOK_IP6_INPUT(p, netif) port_ip6_input(p)

/* The name: net/name.c. It has no services to offer, and looks for none. */
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_NUM_NETIF_CLIENT_DATA 1
#define LWIP_MDNS_RESPONDER 1
#define LWIP_MDNS_SEARCH 0

/* A 64 KiB datagram has 45 fragments; two of them may be under way. */
#define IP_REASSEMBLY 1
#define IP_REASS_MAX_PBUFS 96
#define IP_FRAG 1

/* What fits a frame of 9,000 bytes; with a smaller MTU lwIP takes that. The windows are four frames
 * of segments that a card joins or cuts, 64 KiB each, hold no more of the card's buffers than it may
 * have posted, and need scaling. A connection that fills its windows takes up to 256 buffers for
 * what its program leaves lying, and for what is not acknowledged some 180 bytes a segment, 32 KiB,
 * beside the data; a program's copies (TCP_WRITE_FLAG_COPY) are up to 256 KiB more. */
#define TCP_MSS 8960
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 3
#define TCP_WND (256 * 1024)
#define TCP_SND_BUF (256 * 1024)
#define TCP_SND_QUEUELEN 1024
#define TCP_SNDLOWAT (28 * 1024) /* lwIP keeps it, and 4 MSS more, in 16 bits */
#define TCP_SNDQUEUELOWAT (TCP_SND_QUEUELEN / 2)
#define MEMP_NUM_TCP_SEG TCP_SND_QUEUELEN
#define TCP_OVERSIZE TCP_MSS
#define TCP_QUEUE_OOSEQ 1
#define LWIP_TCP_SACK_OUT 1
/* A window's worth in receive buffers; but one that is kept for a few bytes counts as much. */
#define TCP_OOSEQ_MAX_PBUFS 256
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, header, length, length1, options2, p)                      \
    port_tcp_input(pcb, header, length, length1, options2, p)
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port)                                  \
    port_tcp_isn(local, local_port, remote, remote_port)
#define TCP_LISTEN_BACKLOG 1
/* A connection's place: net/services/places.c. */
#define LWIP_TCP_PCB_NUM_EXT_ARGS 1
/* Windows are smaller where a card asks for that: net/lwip_port/window.c. */
#define LWIP_HOOK_TCP_OUT_ADD_TCPOPTS(p, header, pcb, options)                                     \
    port_tcp_sending(header, pcb, options)
/* A window update for every sixteenth of the window, not the quarter that is lwIP's default: the
 * peer must not run out of window while the update is on its way. */
#define TCP_WND_UPDATE_THRESHOLD (TCP_WND / 16)

/* Counting is the card's, and the services'. */
#define LWIP_STATS 0

#endif
