/* SPDX-License-Identifier: BSD-2-Clause */
/* lwIP's options, chosen for throughput and latency on a single processor, each with its reason. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

/* No operating system: everything runs in one loop, in one context. */
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0

/*
 * One allocator for everything, in constant time (runtime/memory.h). No pools that could have a
 * wrong size, and nothing in .bss, which must be small in firmware images.
 */
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT 4

/* Timers without allocations: net/lwip_port/timers.c. */
#define LWIP_TIMERS_CUSTOM 1

/*
 * Frames are passed to the stack in the card's buffers. Frames from the stack have room for the
 * card's header in front of the Ethernet header.
 */
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define PBUF_LINK_ENCAPSULATION_HLEN 12
#define LWIP_NETIF_TX_SINGLE_PBUF 0

/* The link's callback informs the program. The hint caches the ARP entry of a connection. */
#define LWIP_NETIF_LINK_CALLBACK 1
#define LWIP_NETIF_EXT_STATUS_CALLBACK 1
#define LWIP_NETIF_HWADDRHINT 1
#define ETHARP_SUPPORT_STATIC_ENTRIES 0
/* Each netif may have a VLAN: net/lwip_port/vlan.c. */
#define ETHARP_SUPPORT_VLAN 1
#define LWIP_HOOK_FILENAME "net/lwip_port/hooks.h"
#define LWIP_HOOK_VLAN_SET(netif, p, src, dst, type) port_vlan_tag(netif)
/*
 * Packets that wait for a neighbour's address: for each over IPv4, for all together over IPv6. If two
 * connections are opened at once, the first one's SYN must not be replaced by the second's. A
 * 64 KiB datagram has 45 fragments, and without one of them it is lost.
 */
#define ARP_QUEUEING 1
#define ARP_QUEUE_LEN 48
#define MEMP_NUM_ND6_QUEUE 48

/* lwIP omits checksums that the card computes or has verified: transmit.c and receive.c. */
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1

/* IPv4's header checksum is computed while the header is written. */
#define LWIP_INLINE_IP_CHKSUM 1

#define LWIP_IPV4 1
#define LWIP_HOOK_IP4_INPUT(p, netif) port_ip4_input(p)
#define LWIP_ICMP 1
#define LWIP_IGMP 1
#define LWIP_RAW 0
#define LWIP_UDP 1
#define LWIP_TCP 1
#define LWIP_DHCP 1
/*
 * Conflicts are detected without the delay of probing: net/lwip_port/conflict.c. Only a link-local
 * address is probed for (RFC 3927).
 */
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define LWIP_AUTOIP 1
#define LWIP_ACD 1
/*
 * Unanswered requests are repeated after 0.5, 1 and 2 s, as net/addresses.c does not wait long.
 * Lease times are in seconds, so that a short lease is renewed in time; net/lease.c sets them.
 */
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

/* The name: net/name.c. It announces no services and searches for none. */
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_NUM_NETIF_CLIENT_DATA 1
#define LWIP_MDNS_RESPONDER 1
#define LWIP_MDNS_SEARCH 0

/* A 64 KiB datagram has 45 fragments; two may be incomplete at the same time. */
#define IP_REASSEMBLY 1
#define IP_REASS_MAX_PBUFS 96
#define IP_FRAG 1

/*
 * The MSS for frames of 9,000 bytes; with a smaller MTU lwIP reduces it. The windows hold four
 * frames of joined segments, 64 KiB each. They need scaling, and do not hold more buffers than the
 * card may have posted. A connection that fills its windows takes up to 256 buffers of data that
 * its program has not read, and some 180 bytes per unacknowledged segment, 32 KiB, in addition to
 * the data. Copies made by a program (TCP_WRITE_FLAG_COPY) take up to 256 KiB more.
 */
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
/* A full window in receive buffers; but a buffer kept for a few bytes counts as one too. */
#define TCP_OOSEQ_MAX_PBUFS 256
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, header, length, length1, options2, p)                      \
    port_tcp_input(pcb, header, length, length1, options2, p)
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port)                                  \
    port_tcp_isn(local, local_port, remote, remote_port)
#define TCP_LISTEN_BACKLOG 1
/* A connection's record in net/services/places.c, and its place in net/lwip_port/lookup.c. */
#define LWIP_TCP_PCB_NUM_EXT_ARGS 2
/* Windows are smaller if the card requests that: net/lwip_port/window.c. */
#define LWIP_HOOK_TCP_OUT_ADD_TCPOPTS(p, header, pcb, options)                                     \
    port_tcp_sending(header, pcb, options)
/*
 * A window update for each sixteenth of the window, instead of lwIP's default of a quarter: the
 * peer must not run out of window while the update is on its way.
 */
#define TCP_WND_UPDATE_THRESHOLD (TCP_WND / 16)

/* The cards and the services have counters of their own. */
#define LWIP_STATS 0

#endif
