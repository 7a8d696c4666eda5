/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests that include a service for one of its functions: defines the other functions that it
 * calls, without their declarations. They must not be called; a test may define its own instead.
 */
#include <stdlib.h>

#define ABSENT(name)                                                                               \
    void name(void);                                                                               \
    __attribute__((weak)) void name(void)                                                          \
    {                                                                                              \
        abort();                                                                                   \
    }

ABSENT(iperf_udp_start)
ABSENT(leave_tcp)
ABSENT(listen_tcp)
ABSENT(net_add_poller)
ABSENT(netperf_read_omni)
ABSENT(netperf_type)
ABSENT(netperf_write_error)
ABSENT(netperf_write_response)
ABSENT(netperf_write_results)
ABSENT(pbuf_copy_partial)
ABSENT(pbuf_free)
ABSENT(places_enter_for)
ABSENT(places_moved)
ABSENT(sys_now)
ABSENT(sys_timeout)
ABSENT(tcp_abort)
ABSENT(tcp_arg)
ABSENT(tcp_bind)
ABSENT(tcp_close)
ABSENT(tcp_connect)
ABSENT(tcp_err)
ABSENT(tcp_new_ip_type)
ABSENT(tcp_output)
ABSENT(tcp_poll)
ABSENT(tcp_recv)
ABSENT(tcp_recved)
ABSENT(tcp_sent)
ABSENT(tcp_shutdown)
ABSENT(tcp_write)
