# SPDX-License-Identifier: BSD-2-Clause
# GNU make. `make help` lists the targets; V=1 shows the commands.

ARCHES := i386 ppc
# Each folder of examples/ is an example, with all of its sources.
EXAMPLES := $(notdir $(patsubst %/,%,$(sort $(dir $(wildcard examples/*/main.c)))))
BENCH_GUESTS := anatomy floor
TEST_GUESTS := kickrace exception sharedline queuereset guestoffloads assertion connections

CROSS_i386 ?= $(if $(shell command -v i686-elf-gcc),i686-elf-,i686-linux-gnu-)
CROSS_ppc ?= $(if $(shell command -v powerpc-eabi-gcc),powerpc-eabi-,powerpc-linux-gnu-)
# Programs that are not in PATH may be in the cache of `make toolchains`.
in_cache = $(wildcard $(subst :,/$(1)gcc ,$(shell ./setup --toolchains-path 2>/dev/null):))
cross = $(if $(shell command -v $(1)gcc),$(1),$(patsubst %gcc,%,$(or $(call in_cache,$(1)),$(1)gcc)))
override CROSS_i386 := $(call cross,$(CROSS_i386))
override CROSS_ppc := $(call cross,$(CROSS_ppc))
CC_i386 ?= $(CROSS_i386)gcc
CC_ppc ?= $(CROSS_ppc)gcc
CROSS_ppc_linux ?= powerpc-linux-gnu-
CROSS_i386_linux ?= i686-linux-gnu-
HOSTCC ?= gcc
PYTHON ?= /usr/bin/python3
JOBS ?= $(shell nproc)

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unversioned)
LINUX := $(shell ./setup --linux-dir 2>/dev/null)
LWIP := $(shell LWIP_DIR='$(LWIP_DIR)' ./setup --lwip-dir 2>/dev/null)

B := build

# These need no lwIP, or first call ./setup, which fetches it. All other targets need it.
SETUP_TARGETS := help setup toolchains docs lib lib-host install dist release $(B)/%/libvtnet.a demo check check-qemu10 check-qemu-unstable bench bench-quick linux-peer $(B)/peers/% iso disk check-hypervisors web web-serve check-web web-picture clean format
ifeq ($(LWIP),)
ifneq ($(filter-out $(SETUP_TARGETS),$(or $(MAKECMDGOALS),all)),)
$(error $(shell LWIP_DIR='$(LWIP_DIR)' ./setup --lwip-dir 2>&1))
endif
endif
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow

VIRTIO := $(sort $(wildcard virtio/*.c))
PCI := $(sort $(wildcard pci/*.c))
LIB := $(VIRTIO) $(PCI)
COMMON := $(VIRTIO) $(PCI) $(sort $(wildcard runtime/*.c net/*.c net/legacy/*.c net/lwip_port/*.c net/services/*.c net/services/*.S console/*.c)) \
	arch/pci_platform.c arch/virtio_platform.c arch/calibration.c arch/fault.c arch/uart16550.c boot/address_text.c boot/arguments.c boot/arguments_check.c boot/command_line.c boot/fw_cfg.c boot/ipv6_text.c examples/net_config.c boot/start.c
SOURCES_i386 := $(COMMON) boot/image_path.c boot/multiboot.c boot/multiboot_entry.S $(sort $(wildcard arch/i386/*.c arch/i386/*.S))
SOURCES_ppc := $(COMMON) boot/prep.S boot/prep_machine.c $(sort $(wildcard arch/ppc/*.c arch/ppc/*.S))
LWIP_SOURCES := $(addprefix core/,init.c def.c inet_chksum.c ip.c mem.c memp.c netif.c pbuf.c tcp.c \
	tcp_in.c tcp_out.c timeouts.c udp.c ipv4/acd.c ipv4/autoip.c ipv4/dhcp.c ipv4/etharp.c ipv4/icmp.c \
	ipv4/igmp.c ipv4/ip4.c ipv4/ip4_addr.c ipv4/ip4_frag.c ipv6/ethip6.c ipv6/icmp6.c ipv6/inet6.c \
	ipv6/ip6.c ipv6/ip6_addr.c ipv6/ip6_frag.c ipv6/mld6.c ipv6/nd6.c) netif/ethernet.c \
	$(addprefix apps/mdns/,mdns.c mdns_domain.c mdns_out.c)

.PHONY: all
all: $(ARCHES:%=all-%) all-host lib $(B)/host/vhost-user $(B)/host/flood

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  V=1 shows the commands; CROSS_i386=, LWIP_DIR= and CC_i386= take other tools and sources.'

.PHONY: setup
setup: ## install what is missing, and fetch lwIP and cmocka
	@./setup check

.PHONY: toolchains
toolchains: ## build i686-elf-gcc and powerpc-eabi-gcc in the cache, once; some fifteen minutes
	@./setup toolchains

.PHONY: demo
demo: ## install, build, boot the guest, ping and measure it; ARCH=i386 or ppc for one only
	@./setup demo
	@$(MAKE) --no-print-directory -j$(JOBS) all-host $(patsubst %,$(B)/%/vtnet-demo.elf,$(or $(ARCH),$(ARCHES)))
	@set -e; for arch in $(or $(ARCH),$(ARCHES)); do ./vm run --arch $$arch -- bench/runner/demo; done

.PHONY: check
check: ## all the tests
	@./setup check
	@$(MAKE) --no-print-directory linux-peer || echo 'check: the tests of the Linux guest will be skipped'
	@$(MAKE) --no-print-directory -j$(JOBS) all unit-programs
	@$(MAKE) --no-print-directory -j$(JOBS) -O lint check-types check-builds check-unit check-endian check-fuzz check-bench check-static check-conformance
	@$(MAKE) --no-print-directory check-system WITH=check-documents

# mk/README.md describes the parts. A part uses what is defined above; definitions of other parts it
# uses in recipes only.
include mk/arch.mk mk/bench.mk mk/system.mk mk/unit.mk mk/lint.mk mk/docs.mk mk/fuzz.mk mk/release.mk mk/web.mk mk/images.mk

.PHONY: clean
clean: ## remove what was built
	rm -rf $(B)

$(B)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' > $@

.PHONY: FORCE
FORCE:
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(B) -path $(B)/again -prune -o -type f -name '*.d' -print 2>/dev/null)
