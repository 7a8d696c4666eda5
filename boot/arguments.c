/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/arguments.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "boot/address_text.h"
#include "boot/arguments_check.h"
#include "boot/ipv6_text.h"

struct boot_arguments boot_arguments = {
    .name = "vtnet",
    .poll_us = 500,
    .bufmax = 256,
    .rxdyn = 1,
    .dir = BOOT_DIRECTION_UNSAID,
    .services = BOOT_SERVICES_ALL,
    .console = 1,
    .count = 10000,
    .size = 1024,
    .seconds = 5,
};

struct argument {
    const char *name;
    bool (*parse)(const struct argument *argument, const char *value);
    void *to;
    const char *help;           /* the form of the value */
    const char *const *choices; /* names in the order of the enumeration */
    unsigned min, max;
};

static bool parse_unsigned(const struct argument *argument, const char *value)
{
    unsigned number;

    if (!address_parse_number(&value, argument->max, &number) || *value != '\0' ||
        number < argument->min) {
        return false;
    }
    *(unsigned *)argument->to = number;
    return true;
}

static bool parse_flag(const struct argument *argument, const char *value)
{
    if (*value != '\0') {
        return false;
    }
    *(bool *)argument->to = true;
    return true;
}

static bool parse_choice(const struct argument *argument, const char *value)
{
    for (unsigned i = 0; argument->choices[i] != NULL; i++) {
        if (strcmp(argument->choices[i], value) == 0) {
            *(unsigned *)argument->to = i;
            return true;
        }
    }
    return false;
}

static bool vlan_item(const char *value, void *to)
{
    unsigned number;
    uint16_t vlan;

    if (!address_parse_number(&value, BOOT_VLAN_MAX, &number) || *value != '\0') {
        return false;
    }
    vlan = (uint16_t)number;
    memcpy(to, &vlan, sizeof vlan);
    return true;
}

/*
 * A list with one item per card, separated by commas. An empty place keeps that card's default; at
 * least one must not be empty. Each item takes `size` bytes, which are zero if it is not given.
 */
static bool parse_list(const struct argument *argument, const char *value, size_t size,
                       bool (*item)(const char *value, void *to))
{
    union { /* room for any item */
        struct boot_ipv4 ipv4[BOOT_CARDS];
        struct boot_ipv6 ipv6[BOOT_CARDS];
        uint8_t mac[BOOT_CARDS][6];
        uint8_t bytes[BOOT_CARDS * sizeof(struct boot_ipv6)];
    } list;
    bool any = false;

    memset(&list, 0, sizeof list);
    for (unsigned i = 0; i < BOOT_CARDS; i++) {
        size_t length = strcspn(value, ",");
        char text[48];

        if (length >= sizeof text) {
            return false;
        }
        memcpy(text, value, length);
        text[length] = '\0';
        if (length != 0 && !item(text, list.bytes + i * size)) {
            return false;
        }
        any |= length != 0;
        value += length;
        if (*value == '\0') {
            break;
        }
        value++;
        if (i == BOOT_CARDS - 1) {
            return false; /* more items than cards */
        }
    }
    if (any) {
        memcpy(argument->to, list.bytes, BOOT_CARDS * size);
    }
    return any;
}

static bool parse_ipv4_list(const struct argument *argument, const char *value)
{
    return parse_list(argument, value, sizeof(struct boot_ipv4), address_ipv4_item);
}

static bool parse_address_list(const struct argument *argument, const char *value)
{
    return parse_list(argument, value, sizeof(struct boot_ipv4), address_station_item);
}

static bool parse_ipv6_list(const struct argument *argument, const char *value)
{
    return parse_list(argument, value, sizeof(struct boot_ipv6), address_ipv6_item);
}

static bool parse_mac_list(const struct argument *argument, const char *value)
{
    return parse_list(argument, value, 6, address_mac_item);
}

static bool parse_vlan_list(const struct argument *argument, const char *value)
{
    return parse_list(argument, value, sizeof(uint16_t), vlan_item);
}

/* An IPv4 or IPv6 address. The last one on the command line counts. */
static bool parse_peer(const struct argument *argument, const char *value)
{
    struct boot_ipv4 peer = {0};
    struct boot_ipv6 peer6 = {0};

    (void)argument;
    if (!address_station_item(value, &peer) &&
        (address_impossible || !address_parse_station_ipv6(&value, peer6.address) ||
         *value != '\0')) {
        return false;
    }
    boot_arguments.peer = peer;
    boot_arguments.peer6 = peer6;
    return true;
}

/*
 * An address of 224.0.0.0/4 or ff00::/8. IPv6 groups of scope 0 or of the station itself are
 * rejected: they are not sent over any link (RFC 4291 §2.7).
 */
static bool parse_group(const struct argument *argument, const char *value)
{
    struct boot_ipv4 group;
    uint8_t group6[16];

    (void)argument;
    if (value[strcspn(value, "/")] == '\0' && address_parse_ipv4(value, &group) &&
        group.address >> 28 == 0xe) {
        boot_arguments.join = group;
        return true;
    }
    if (ipv6_parse(&value, group6) && *value == '\0' && group6[0] == 0xff &&
        (group6[1] & 0xf) > 1) {
        memcpy(boot_arguments.join6.address, group6, sizeof group6);
        return true;
    }
    return false;
}

/* A label of a host name (RFC 1123 §2.1): letters, digits, and hyphens between them. */
static bool parse_name(const struct argument *argument, const char *value)
{
    size_t length = strlen(value);

    if (length == 0 || length > BOOT_NAME_MAX || value[0] == '-' || value[length - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        char lower = (char)(value[i] | 0x20);

        if (!(value[i] >= '0' && value[i] <= '9') && !(lower >= 'a' && lower <= 'z') &&
            value[i] != '-') {
            return false;
        }
    }
    memcpy(argument->to, value, length + 1);
    return true;
}

/* Names of services, separated by commas, or "none". */
static bool parse_services(const struct argument *argument, const char *value)
{
    unsigned services = 0;

    if (strcmp(value, "none") != 0) {
        for (;;) {
            size_t length = strcspn(value, ",");
            unsigned i = 0;

            while (argument->choices[i] != NULL &&
                   (strlen(argument->choices[i]) != length ||
                    strncmp(argument->choices[i], value, length) != 0)) {
                i++;
            }
            if (argument->choices[i] == NULL) {
                return false;
            }
            services |= 1u << i;
            if (value[length] == '\0') {
                break;
            }
            value += length + 1;
        }
    }
    *(unsigned *)argument->to = services;
    return true;
}

static bool parse_text(const struct argument *argument, const char *value)
{
    if (strlen(value) > argument->max) {
        return false;
    }
    memcpy(argument->to, value, strlen(value) + 1);
    return true;
}

static const char *const modes[] = {"hybrid", "irq", "poll", NULL};
static const char *const transports[] = {"any", "legacy", "modern", NULL};
static const char *const fences[] = {"auto", "on", "off", NULL};
static const char *const irqs[] = {"auto", "intx", "msix", NULL};
static const char *const conflicts[] = {"retry", "exit", NULL};
static const char *const protocols[] = {"udp", "tcp", NULL};
static const char *const directions[] = {"both", "send", "receive", NULL};

static const char *const services[] = {"echo",    "sink",  "source", "stats",
                                       "netperf", "iperf", "mdns",   NULL};
static const char *const answers[] = {"local", "any", NULL};

#define ARGS boot_arguments

static const struct argument arguments[] = {
    {"ip", parse_ipv4_list, ARGS.ip, "A.B.C.D[/N][,...]", NULL, 0, 0},
    {"gw", parse_address_list, ARGS.gw, "A.B.C.D[,...]", NULL, 0, 0},
    {"ip6", parse_ipv6_list, ARGS.ip6, "ADDRESS[/64][,...]", NULL, 0, 0},
    {"mac", parse_mac_list, ARGS.mac, "AA:BB:CC:DD:EE:FF[,...]", NULL, 0, 0},
    {"vlan", parse_vlan_list, ARGS.vlan, "0..4094[,...]", NULL, 0, 0},
    {"dhcp", parse_flag, &ARGS.dhcp, NULL, NULL, 0, 0},
    {"linklocal", parse_flag, &ARGS.linklocal, NULL, NULL, 0, 0},
    {"conflict", parse_choice, &ARGS.conflict, "retry|exit", conflicts, 0, 0},
    {"name", parse_name, ARGS.name, "LETTERS-AND-DIGITS", NULL, 0, 0},
    {"join", parse_group, &ARGS.join, "224.0.0.0..239.255.255.255|ff00::/8", NULL, 0, 0},
    {"mode", parse_choice, &ARGS.mode, "irq|poll|hybrid", modes, 0, 0},
    {"poll_us", parse_unsigned, &ARGS.poll_us, "0..1000000", NULL, 0, 1000000},
    {"bufinit", parse_unsigned, &ARGS.bufinit, "1..32768", NULL, 1, 32768},
    {"bufmax", parse_unsigned, &ARGS.bufmax, "1..32768", NULL, 1, 32768},
    {"rxdyn", parse_unsigned, &ARGS.rxdyn, "0|1", NULL, 0, 1},
    {"bufmem", parse_unsigned, &ARGS.bufmem, "16..1048576", NULL, BOOT_BUFMEM_LEAST, 1048576},
    {"rxquiet", parse_unsigned, &ARGS.rxquiet, "1..3600000", NULL, 1, 3600000},
    {"bounded", parse_unsigned, &ARGS.bounded, "0|1", NULL, 0, 1},
    {"features", parse_text, ARGS.features, "[+-]NAME,...", NULL, 0, sizeof ARGS.features - 1},
    {"transport", parse_choice, &ARGS.transport, "any|legacy|modern", transports, 0, 0},
    {"fence", parse_choice, &ARGS.fence, "auto|on|off", fences, 0, 0},
    {"irq", parse_choice, &ARGS.irq, "auto|intx|msix", irqs, 0, 0},
    {"services", parse_services, &ARGS.services, "none|echo,sink,source,stats,netperf,iperf,mdns",
     services, 0, 0},
    {"answer", parse_choice, &ARGS.answer, "local|any", answers, 0, 0},
    {"console", parse_unsigned, &ARGS.console, "0|1", NULL, 0, 1},
    {"stats", parse_unsigned, &ARGS.stats, "0|1", NULL, 0, 1},
    {"peer", parse_peer, NULL, "A.B.C.D|IPV6-ADDRESS", NULL, 0, 0},
    {"proto", parse_choice, &ARGS.proto, "udp|tcp", protocols, 0, 0},
    {"dir", parse_choice, &ARGS.dir, "both|send|receive", directions, 0, 0},
    {"count", parse_unsigned, &ARGS.count, "1..100000000", NULL, 1, 100000000},
    {"size", parse_unsigned, &ARGS.size, "12..1472", NULL, 12, 1472},
    {"seconds", parse_unsigned, &ARGS.seconds, "1..3600", NULL, 1, 3600},
};
enum { ARGUMENTS = sizeof arguments / sizeof arguments[0] };

static const struct argument *find_argument(const char *name, size_t length)
{
    for (unsigned i = 0; i < ARGUMENTS; i++) {
        if (strlen(arguments[i].name) == length && strncmp(arguments[i].name, name, length) == 0) {
            return &arguments[i];
        }
    }
    return NULL;
}

bool boot_argument_is_known(const char *name, size_t length)
{
    return find_argument(name, length) != NULL;
}

static void list_arguments(void)
{
    printf("vtnet: valid boot arguments:");
    for (unsigned i = 0; i < ARGUMENTS; i++) {
        printf(" %s", arguments[i].name);
        if (arguments[i].help != NULL) {
            printf("=%s", arguments[i].help);
        }
    }
    printf("\n");
}

/*
 * Prints up to `length` characters. A character other than printable ASCII is printed as its
 * number: a byte order mark or a foreign space would otherwise be invisible.
 */
static void print_word(const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (word[i] >= ' ' && word[i] <= '~') {
            printf("%c", word[i]);
        } else {
            printf("\\x%02x", (unsigned)(uint8_t)word[i]);
        }
    }
}

/* Parses a word, "name" or "name=value". Returns false if it is unknown or malformed. */
static bool parse_word(const char *word)
{
    size_t length = strcspn(word, "=");
    const char *value = word[length] == '=' ? word + length + 1 : "";
    const struct argument *argument = find_argument(word, length);

    if (argument == NULL) {
        printf("vtnet: boot argument '");
        print_word(word, strlen(word));
        printf("' is unknown and ignored\n");
        return false;
    }
    address_impossible = false;
    if (argument->parse(argument, value)) {
        return true;
    }
    printf("vtnet: boot argument '");
    print_word(word, strlen(word));
    printf("' is malformed and ignored: ");
    if (address_impossible) {
        printf("this is no valid address of a station\n");
    } else {
        printf("expected %s%s%s\n", argument->name, argument->help != NULL ? "=" : "",
               argument->help != NULL ? argument->help : "");
    }
    return false;
}

unsigned boot_arguments_parse(const char *command_line)
{
    char word[192];
    unsigned bad = 0;

    for (;;) {
        size_t length;

        command_line += strspn(command_line, BOOT_WHITE_SPACE);
        if (*command_line == '\0') {
            break;
        }
        length = strcspn(command_line, BOOT_WHITE_SPACE);
        if (length >= sizeof word) {
            printf("vtnet: boot argument '");
            print_word(command_line, 32);
            printf("...' is longer than %u characters and ignored\n", (unsigned)sizeof word - 1);
            bad++;
        } else {
            memcpy(word, command_line, length);
            word[length] = '\0';
            bad += !parse_word(word);
        }
        command_line += length;
    }
    bad += boot_arguments_check();
    if (bad != 0) {
        list_arguments();
    }
    return bad;
}
