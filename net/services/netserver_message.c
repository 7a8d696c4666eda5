/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services/netserver_message.h"

#include <string.h>

enum {
    NF_UNSPEC = 0,
    NF_INET = 4,
    NF_INET6 = 6,
    NST_STREAM = 1,
    NST_DGRAM = 2,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    NETPERF_XMIT = 2,
    NETPERF_RECV = 4,
    OMNI_NO_DELAY = 1 << 0,
    OMNI_CONNECT_TEST = 1 << 2,
    CPU_UNKNOWN = 0,

    TCP_SIZE = 16384, /* bytes per call, unless the client sets it */
    UDP_SIZE = 1024,
    UDP_SIZE_MAX = 65507,
};

static const uint32_t minus_one = 0xbf800000; /* -1.0 as a float: not measured */

/* Words of a message. Those that are not used are omitted. */
enum {
    TYPE,
    SERV_ERRNO,
    SPECIFIC,
};

enum request {
    REQUEST_SEND_BUF_SIZE = SPECIFIC + 0,
    REQUEST_SEND_SIZE = SPECIFIC + 1,
    REQUEST_REQUEST_SIZE = SPECIFIC + 5,
    REQUEST_RECV_BUF_SIZE = SPECIFIC + 6,
    REQUEST_RECEIVE_SIZE = SPECIFIC + 7,
    REQUEST_RESPONSE_SIZE = SPECIFIC + 11,
    REQUEST_FLAGS = SPECIFIC + 12,
    REQUEST_TEST_LENGTH = SPECIFIC + 14,
    REQUEST_DATA_PORT = SPECIFIC + 20,
    REQUEST_IPFAMILY = SPECIFIC + 21,
    REQUEST_SOCKET_TYPE = SPECIFIC + 22,
    REQUEST_PROTOCOL = SPECIFIC + 23,
    REQUEST_DIRECTION = SPECIFIC + 24,
    REQUEST_NETPERF_PORT = SPECIFIC + 25,
};

/* Flags that are not set: CPU figures. */
enum response {
    RESPONSE_RECV_BUF_SIZE = SPECIFIC + 0,
    RESPONSE_RECEIVE_SIZE = SPECIFIC + 1,
    RESPONSE_RECV_WIDTH = SPECIFIC + 2,
    RESPONSE_SEND_BUF_SIZE = SPECIFIC + 3,
    RESPONSE_SEND_SIZE = SPECIFIC + 4,
    RESPONSE_SEND_WIDTH = SPECIFIC + 5,
    RESPONSE_FLAGS = SPECIFIC + 6,
    RESPONSE_DATA_PORT = SPECIFIC + 11,
    RESPONSE_SOCKET_PRIO = SPECIFIC + 16,
    RESPONSE_SOCKET_TOS = SPECIFIC + 17,
};

enum results {
    RESULTS_BYTES_RECEIVED_HI = SPECIFIC + 0,
    RESULTS_BYTES_RECEIVED_LO = SPECIFIC + 1,
    RESULTS_RECV_CALLS = SPECIFIC + 2,
    RESULTS_RECV_BUF_SIZE = SPECIFIC + 3,
    RESULTS_BYTES_SENT_HI = SPECIFIC + 4,
    RESULTS_BYTES_SENT_LO = SPECIFIC + 5,
    RESULTS_SEND_CALLS = SPECIFIC + 6,
    RESULTS_SEND_BUF_SIZE = SPECIFIC + 7,
    RESULTS_FAILED_SENDS = SPECIFIC + 8,
    RESULTS_TRANS_RECEIVED = SPECIFIC + 9,
    RESULTS_ELAPSED_TIME = SPECIFIC + 10,
    RESULTS_CPU_UTIL = SPECIFIC + 11, /* the first of seven floats */
    RESULTS_SERV_DEM = SPECIFIC + 17, /* the last */
    RESULTS_CPU_METHOD = SPECIFIC + 18,
    RESULTS_NUM_CPUS = SPECIFIC + 19,
    RESULTS_PEAK_CPU_ID = SPECIFIC + 20,
    RESULTS_PEAK_CPU_UTIL = SPECIFIC + 21,
    RESULTS_TRANSPORT_RETRANS = SPECIFIC + 26,
};

static uint32_t get(const uint8_t *message, unsigned word)
{
    const uint8_t *from = message + 4 * word;

    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void put(uint8_t *message, unsigned word, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        message[4 * word + i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

/* Converts milliseconds to seconds as a float, without floating-point arithmetic. */
static uint32_t seconds_as_float(uint32_t ms)
{
    uint64_t value = ((uint64_t)ms << 32) / 1000; /* 32 bits after the binary point */
    unsigned top;

    if (value == 0) {
        return 0;
    }
    top = 63 - (unsigned)__builtin_clzll(value);
    value = top >= 23 ? value >> (top - 23) : value << (23 - top);
    return (uint32_t)((uint64_t)(127 + top - 32) << 23 | (value & 0x7fffff));
}

uint32_t netperf_type(const uint8_t *message)
{
    return get(message, TYPE);
}

/* A size that is zero or negative, as an int, means that the client leaves it open. */
static uint32_t positive_or(uint32_t size, uint32_t otherwise)
{
    return size > 0 && size <= INT32_MAX ? size : otherwise;
}

static enum netperf_error read_protocol(const uint8_t *message, struct netperf_omni *omni)
{
    uint32_t family = get(message, REQUEST_IPFAMILY);
    uint32_t protocol = get(message, REQUEST_PROTOCOL);
    uint32_t socket_type = get(message, REQUEST_SOCKET_TYPE);

    if (family != NF_UNSPEC && family != NF_INET && family != NF_INET6) {
        return NETPERF_EAFNOSUPPORT;
    }
    omni->ipv6 = family == NF_INET6;
    omni->tcp = protocol == PROTOCOL_TCP && socket_type == NST_STREAM;
    return omni->tcp || (protocol == PROTOCOL_UDP && socket_type == NST_DGRAM)
               ? NETPERF_OK
               : NETPERF_EPROTONOSUPPORT;
}

static enum netperf_error read_direction(const uint8_t *message, struct netperf_omni *omni)
{
    uint32_t direction = get(message, REQUEST_DIRECTION);
    uint32_t flags = get(message, REQUEST_FLAGS);

    omni->receive = (direction & NETPERF_RECV) != 0;
    omni->transmit = (direction & NETPERF_XMIT) != 0;
    omni->connect_test = (flags & OMNI_CONNECT_TEST) != 0;
    omni->no_delay = (flags & OMNI_NO_DELAY) != 0;
    if ((direction & ~(uint32_t)(NETPERF_RECV | NETPERF_XMIT)) != 0 ||
        (direction == 0 && !omni->connect_test) ||
        (omni->connect_test && (!omni->tcp || omni->receive != omni->transmit))) {
        return NETPERF_EINVAL;
    }
    return NETPERF_OK;
}

static enum netperf_error read_sizes(const uint8_t *message, struct netperf_omni *omni)
{
    uint32_t size = omni->tcp ? TCP_SIZE : UDP_SIZE;

    omni->recv_buf_size = positive_or(get(message, REQUEST_RECV_BUF_SIZE), 0);
    omni->send_buf_size = positive_or(get(message, REQUEST_SEND_BUF_SIZE), 0);
    omni->recv_size = positive_or(get(message, REQUEST_REQUEST_SIZE),
                                  positive_or(get(message, REQUEST_RECEIVE_SIZE), size));
    omni->send_size = positive_or(get(message, REQUEST_RESPONSE_SIZE),
                                  positive_or(get(message, REQUEST_SEND_SIZE), size));
    if (!omni->tcp && omni->transmit && omni->send_size > UDP_SIZE_MAX) {
        return NETPERF_EMSGSIZE;
    }
    return NETPERF_OK;
}

enum netperf_error netperf_read_omni(const uint8_t *message, struct netperf_omni *omni)
{
    uint32_t test_length = get(message, REQUEST_TEST_LENGTH);
    uint32_t data_port = get(message, REQUEST_DATA_PORT);
    uint32_t netperf_port = get(message, REQUEST_NETPERF_PORT);
    enum netperf_error error;

    memset(omni, 0, sizeof *omni);
    if (data_port > UINT16_MAX || netperf_port > UINT16_MAX) {
        return NETPERF_EINVAL;
    }
    omni->data_port = (uint16_t)data_port;
    omni->netperf_port = (uint16_t)netperf_port;
    if (test_length <= INT32_MAX) {
        omni->seconds = test_length;
    } else {
        omni->units = 0U - test_length;
    }
    error = read_protocol(message, omni);
    if (error == NETPERF_OK) {
        error = read_direction(message, omni);
    }
    return error == NETPERF_OK ? read_sizes(message, omni) : error;
}

void netperf_write_error(uint8_t *message, uint32_t type, enum netperf_error error)
{
    memset(message, 0, NETPERF_MESSAGE_SIZE);
    put(message, TYPE, type);
    put(message, SERV_ERRNO, error);
}

void netperf_write_response(uint8_t *message, const struct netperf_omni *omni, uint16_t data_port)
{
    netperf_write_error(message, NETPERF_OMNI_RESPONSE, NETPERF_OK);
    put(message, RESPONSE_RECV_BUF_SIZE, omni->recv_buf_size);
    put(message, RESPONSE_RECEIVE_SIZE, omni->recv_size);
    put(message, RESPONSE_RECV_WIDTH, 1);
    put(message, RESPONSE_SEND_BUF_SIZE, omni->send_buf_size);
    put(message, RESPONSE_SEND_SIZE, omni->send_size);
    put(message, RESPONSE_SEND_WIDTH, 1);
    put(message, RESPONSE_FLAGS, omni->no_delay ? OMNI_NO_DELAY : 0);
    put(message, RESPONSE_DATA_PORT, data_port);
    put(message, RESPONSE_SOCKET_PRIO, UINT32_MAX); /* not set */
    put(message, RESPONSE_SOCKET_TOS, UINT32_MAX);
}

void netperf_write_results(uint8_t *message, const struct netperf_omni *omni,
                           const struct netperf_results *results)
{
    netperf_write_error(message, NETPERF_OMNI_RESPONSE, NETPERF_OK);
    put(message, RESULTS_BYTES_RECEIVED_HI, (uint32_t)(results->bytes_received >> 32));
    put(message, RESULTS_BYTES_RECEIVED_LO, (uint32_t)results->bytes_received);
    put(message, RESULTS_RECV_CALLS, results->recv_calls);
    put(message, RESULTS_RECV_BUF_SIZE, omni->recv_buf_size);
    put(message, RESULTS_BYTES_SENT_HI, (uint32_t)(results->bytes_sent >> 32));
    put(message, RESULTS_BYTES_SENT_LO, (uint32_t)results->bytes_sent);
    put(message, RESULTS_SEND_CALLS, results->send_calls);
    put(message, RESULTS_SEND_BUF_SIZE, omni->send_buf_size);
    put(message, RESULTS_FAILED_SENDS, results->failed_sends);
    put(message, RESULTS_TRANS_RECEIVED, results->trans_received);
    put(message, RESULTS_ELAPSED_TIME, seconds_as_float(results->elapsed_ms));
    for (unsigned word = RESULTS_CPU_UTIL; word <= RESULTS_SERV_DEM; word++) {
        put(message, word, minus_one);
    }
    put(message, RESULTS_CPU_METHOD, CPU_UNKNOWN);
    put(message, RESULTS_NUM_CPUS, 1);
    put(message, RESULTS_PEAK_CPU_ID, UINT32_MAX);
    put(message, RESULTS_PEAK_CPU_UTIL, minus_one);
    put(message, RESULTS_TRANSPORT_RETRANS, UINT32_MAX); /* not measured */
}
