/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first process of the Linux peer. It loads the drivers, configures the only network card from
 * the kernel's command line (ip=ADDRESS/PREFIX) and runs vtserve. It is linked statically; the
 * initramfs has only this program, vtserve and the modules.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "linux_init.h"

#define EXIT_PORT 0xf4         /* QEMU's isa-debug-exit, where ./vm puts it */
#define EXIT_FAILURE_CODE 0x11 /* as our own guest ends when it fails */
#define LINK_PATIENCE 100      /* tenths of a second */

struct net_address {
    struct in_addr address, mask;
};

_Noreturn void die(const char *what)
{
    fprintf(stderr, "vtnet: %s: %s\n", what, strerror(errno));
    tcdrain(STDERR_FILENO);
    if (ioperm(EXIT_PORT, 1, 1) == 0) {
        outb(EXIT_FAILURE_CODE, EXIT_PORT);
    }
    reboot(RB_AUTOBOOT); /* if QEMU has no such device */
    _exit(1);
}

static void mount_system(void)
{
    if (mount("dev", "/dev", "devtmpfs", 0, NULL) < 0 ||
        mount("proc", "/proc", "proc", 0, NULL) < 0 || mount("sys", "/sys", "sysfs", 0, NULL) < 0) {
        die("cannot mount /dev, /proc and /sys");
    }
}

static void load_module(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0) {
        die(path);
    }
    close(fd);
}

/* Loads all modules in the order of their names. */
static void load_modules(void)
{
    struct dirent **entries;
    int count;

    if (chdir("/modules") < 0 || (count = scandir(".", &entries, NULL, alphasort)) < 0) {
        die("/modules");
    }
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            load_module(entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
}

/* The name of the first network interface with a device behind it, into `name`. */
static void find_interface(char name[static IF_NAMESIZE])
{
    struct if_nameindex *list = if_nameindex();

    for (const struct if_nameindex *i = list; i && i->if_index; i++) {
        char path[64];

        snprintf(path, sizeof(path), "/sys/class/net/%s/device", i->if_name);
        if (access(path, F_OK) == 0) {
            snprintf(name, IF_NAMESIZE, "%s", i->if_name);
            if_freenameindex(list);
            return;
        }
    }
    errno = ENODEV;
    die("no network card that has a driver here");
}

/* Parses ADDRESS/PREFIX, or ends the guest. */
static struct net_address parse_address(const char *text)
{
    struct net_address result;
    char address[INET_ADDRSTRLEN];
    char *end = NULL;
    size_t length = text ? strcspn(text, "/") : 0;
    unsigned long prefix = length > 0 && text[length] ? strtoul(text + length + 1, &end, 10) : 0;

    errno = EINVAL;
    if (length >= sizeof(address) || !end || *end || prefix < 1 || prefix > 32) {
        die("ip= must be ADDRESS/PREFIX on the command line");
    }
    memcpy(address, text, length);
    address[length] = 0;
    if (inet_pton(AF_INET, address, &result.address) != 1) {
        die("ip= must be ADDRESS/PREFIX on the command line");
    }
    result.mask.s_addr = htonl(~0u << (32 - prefix));
    return result;
}

/* One of the ioctls of netdevice(7) that set an address. */
static void set_address(int fd, struct ifreq *request, unsigned long what, struct in_addr value)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = value};

    memcpy(&request->ifr_addr, &to, sizeof(to));
    if (ioctl(fd, what, request) < 0) {
        die("cannot set the address");
    }
}

static void set_up(int fd, const char *name)
{
    struct ifreq request = {0};

    snprintf(request.ifr_name, IF_NAMESIZE, "%s", name);
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) {
        die(name);
    }
    request.ifr_flags |= IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &request) < 0) {
        die(name);
    }
}

/* Configures the interface, and returns when its link is up. */
static void configure(const char *name, struct net_address own)
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        die("socket");
    }
    set_up(fd, "lo");
    snprintf(request.ifr_name, IF_NAMESIZE, "%s", name);
    set_address(fd, &request, SIOCSIFADDR, own.address);
    set_address(fd, &request, SIOCSIFNETMASK, own.mask);
    set_up(fd, name);
    for (int tenths = 0; tenths < LINK_PATIENCE; tenths++) {
        if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) {
            die(name);
        }
        if (request.ifr_flags & IFF_RUNNING) {
            close(fd);
            return;
        }
        usleep(100000);
    }
    errno = ETIMEDOUT;
    die("the network card has no link");
}

/* Runs in the child: vtserve, which writes a line to `out` when it serves. */
static _Noreturn void become_vtserve(int out)
{
    dup2(out, STDOUT_FILENO);
    execl("/vtserve", "vtserve", "--bind", "0.0.0.0", (char *)NULL);
    die("/vtserve");
}

/* Returns when vtserve serves, with a descriptor whose other end only vtserve has. */
static int start_vtserve(void)
{
    int out[2];
    char line[128];
    pid_t child;

    if (pipe2(out, O_CLOEXEC) < 0 || (child = fork()) < 0) {
        die("cannot start vtserve");
    }
    if (child == 0) {
        become_vtserve(out[1]);
    }
    close(out[1]);
    if (read(out[0], line, sizeof(line)) <= 0) {
        die("vtserve does not serve");
    }
    return out[0];
}

int main(void)
{
    char name[IF_NAMESIZE];
    const char *ip = getenv("ip"); /* the kernel passes on arguments that it does not know */
    struct net_address own = parse_address(ip);
    int stats, vtserve;

    mount_system();
    load_modules();
    find_interface(name);
    configure(name, own);
    stats = stats_open();
    vtserve = start_vtserve();
    printf("vtnet: ready at %s on %s\n", ip, name);
    fflush(stdout);
    stats_serve(stats, name, vtserve);
    errno = ECHILD;
    die("vtserve has ended");
}
