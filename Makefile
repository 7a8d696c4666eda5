# SPDX-License-Identifier: BSD-2-Clause
# GNU make. `make help` lists the targets; V=1 shows the commands.

ARCHES := i386 ppc
# A folder of examples/ each, with all of its sources.
EXAMPLES := $(notdir $(patsubst %/,%,$(sort $(dir $(wildcard examples/*/main.c)))))
BENCH_GUESTS := anatomy floor
TEST_GUESTS := kickrace exception sharedline queuereset guestoffloads assertion

CROSS_i386 ?= $(if $(shell command -v i686-elf-gcc),i686-elf-,i686-linux-gnu-)
CROSS_ppc ?= $(if $(shell command -v powerpc-eabi-gcc),powerpc-eabi-,powerpc-linux-gnu-)
# What is not in PATH may be what `make toolchains` has put into the cache.
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

# These need no lwIP, or call ./setup, which fetches it, before they build; the others need it.
SETUP_TARGETS := help setup toolchains docs lib lib-host install dist $(B)/%/libvtnet.a demo check check-qemu10 bench bench-quick linux-peer $(B)/peers/% iso disk check-hypervisors web web-serve check-web web-picture clean format
ifeq ($(LWIP),)
ifneq ($(filter-out $(SETUP_TARGETS),$(or $(MAKECMDGOALS),all)),)
$(error $(shell LWIP_DIR='$(LWIP_DIR)' ./setup --lwip-dir 2>&1))
endif
endif
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow
# gcc passes only the second of the two maps to the assembler; i686-elf-gcc keeps frame pointers by default.
CFLAGS_all = -std=gnu11 -O2 -g -ffreestanding -nostdinc -fno-pie -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fomit-frame-pointer -ffunction-sections -fdata-sections -fno-common \
	-frandom-seed=$@ \
	$(foreach map,$(CURDIR)=. $(LWIP:%=%=lwip),-ffile-prefix-map=$(map) -fdebug-prefix-map=$(map))
# The whole program at once: calls within it cost most of the time under an emulator that looks up
# the target of each one that leaves a page. clang has no linker for it here.
is_clang = $(findstring clang,$(shell $(1) --version 2>/dev/null))
LTO := -flto -flto-partition=one
# How a small structure is returned differs between powerpc-eabi-gcc and powerpc-linux-gnu-gcc; a
# library by one is linked by the other.
CFLAGS_i386 := -m32 -march=i486 -mtune=generic -mno-sse -mno-mmx -mno-80387
CFLAGS_ppc := -mcpu=603 -mbig-endian -msoft-float -mno-altivec -mno-multiple -msdata=none -G 0 \
	-msvr4-struct-return -ffixed-r2 -ffixed-r13

VIRTIO := $(sort $(wildcard virtio/*.c))
PCI := $(sort $(wildcard pci/*.c))
LIB := $(VIRTIO) $(PCI)
SYSTEM := $(sort $(wildcard runtime/*.c)) arch/fault.c arch/uart16550.c boot/address_text.c boot/arguments.c boot/arguments_check.c boot/command_line.c boot/fw_cfg.c boot/ipv6_text.c boot/start.c
COMMON := $(VIRTIO) $(PCI) $(sort $(wildcard runtime/*.c net/*.c net/legacy/*.c net/lwip_port/*.c net/services/*.c net/services/*.S console/*.c)) \
	arch/pci_platform.c arch/virtio_platform.c arch/fault.c arch/uart16550.c boot/address_text.c boot/arguments.c boot/arguments_check.c boot/command_line.c boot/fw_cfg.c boot/ipv6_text.c boot/start.c
SOURCES_i386 := $(COMMON) boot/image_path.c boot/multiboot.c boot/multiboot_entry.S $(sort $(wildcard arch/i386/*.c arch/i386/*.S))
SOURCES_ppc := $(COMMON) boot/prep.S boot/prep_machine.c $(sort $(wildcard arch/ppc/*.c arch/ppc/*.S))
LWIP_SOURCES := $(addprefix core/,init.c def.c inet_chksum.c ip.c mem.c memp.c netif.c pbuf.c tcp.c \
	tcp_in.c tcp_out.c timeouts.c udp.c ipv4/acd.c ipv4/autoip.c ipv4/dhcp.c ipv4/etharp.c ipv4/icmp.c \
	ipv4/igmp.c ipv4/ip4.c ipv4/ip4_addr.c ipv4/ip4_frag.c ipv6/ethip6.c ipv6/icmp6.c ipv6/inet6.c \
	ipv6/ip6.c ipv6/ip6_addr.c ipv6/ip6_frag.c ipv6/mld6.c ipv6/nd6.c) netif/ethernet.c \
	$(addprefix apps/mdns/,mdns.c mdns_domain.c mdns_out.c)

.PHONY: all
all: $(ARCHES:%=all-%) all-host lib $(B)/host/vhost-user $(B)/host/flood

.PHONY: lib lib-host
lib: $(ARCHES:%=$(B)/%/libvtnet.a) lib-host ## virtio/ and pci/ as a library: docs/porting.md
lib-host: $(B)/host/libvtnet.a ## the same for the host only, which takes no cross compilers

.PHONY: all-host
all-host: $(B)/host/vtbench $(B)/host/vtserve

# The types of i686-elf-gcc and powerpc-eabi-gcc; `%u` does not print such a uint32_t.
LONG_TYPES := $(foreach t,INT32 INT_LEAST32 INTPTR,-U__$(t)_TYPE__ -D__$(t)_TYPE__=long \
	-U__U$(t)_TYPE__ -D__U$(t)_TYPE__='unsigned long')

define arch_rules
.PHONY: all-$(1)
all-$(1): $(patsubst %,$(B)/$(1)/%.elf,$(EXAMPLES) $(TEST_GUESTS) $(BENCH_GUESTS) port)

CC_INCLUDE_$(1) = $$(shell $$(CC_$(1)) -print-file-name=include 2>/dev/null)
INCLUDES_$(1) = -I. -Iarch/$(1) -Iruntime/include -Inet/lwip_port -I$$(LWIP)/src/include \
	-isystem $$(CC_INCLUDE_$(1))
LTO_$(1) := $$(if $$(call is_clang,$$(CC_$(1))),,$$(LTO))
COMPILE_$(1) = $$(CC_$(1)) $$(CFLAGS_all) $$(CFLAGS_$(1)) $$(LTO_$(1)) $$(INCLUDES_$(1)) -MMD -MP -c
LINK_$(1) = $$(if $$(LTO_$(1)),$$(CC_$(1)),$$(CROSS_$(1))gcc) $$(CFLAGS_all) $$(CFLAGS_$(1)) $$(LTO_$(1)) -nostdlib -static -no-pie \
	-Wl,--build-id=none -Wl,--gc-sections -Wl,-z,noexecstack -T arch/$(1)/link.ld

$(B)/$(1)/%.o: %.c $(B)/$(1)/flags
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)
	$(Q)$$(COMPILE_$(1)) $$(WARNINGS) $$(if $$(filter boot/start.c,$$<),-DVTNET_VERSION='"$(VERSION)"') $$< -o $$@

$(B)/$(1)/%.o: %.S $(B)/$(1)/flags
	@mkdir -p $$(@D)
	$$(call say,AS,$$<)
	$(Q)$$(COMPILE_$(1)) $$< -o $$@

# What the compiler calls on its own must be there when it does, and must not call itself.
$(B)/$(1)/runtime/string.o: LTO_$(1) := $$(if $$(LTO_$(1)),-fno-lto -fno-tree-loop-distribute-patterns)

$(B)/$(1)/lwip/%.o: $$(LWIP)/src/%.c $(B)/$(1)/flags
	@mkdir -p $$(@D)
	$$(call say,CC,lwip/$$*.c)
	$(Q)$$(COMPILE_$(1)) -w $$(if $$(filter apps/%,$$*),-Os) $$< -o $$@

OBJECTS_$(1) := $$(patsubst %,$(B)/$(1)/%.o,$$(basename $$(SOURCES_$(1)))) \
	$$(patsubst %.c,$(B)/$(1)/lwip/%.o,$$(LWIP_SOURCES))

$(foreach e,$(EXAMPLES),$(eval $(B)/$(1)/$(e).elf: $(patsubst %.c,$(B)/$(1)/%.o,$(wildcard examples/$(e)/*.c))))
$(TEST_GUESTS:%=$(B)/$(1)/%.elf): $(B)/$(1)/%.elf: $(B)/$(1)/tests/guest/%.o
$(BENCH_GUESTS:%=$(B)/$(1)/%.elf): $(B)/$(1)/%.elf: $(B)/$(1)/bench/guest/%.o
$(B)/$(1)/%.elf: $$(OBJECTS_$(1)) arch/$(1)/link.ld Makefile
	$$(call say,LD,$$@)
	$(Q)$$(LINK_$(1)) $$(filter %.o,$$^) -lgcc -o $$@

# Machine code that any linker takes.
$(B)/$(1)/lib/%.o: %.c $(B)/$(1)/flags
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)
	$(Q)$$(COMPILE_$(1)) -fno-lto $$(WARNINGS) $$< -o $$@

$(B)/$(1)/libvtnet.a: $(LIB:%.c=$(B)/$(1)/lib/%.o)
	$$(call say,AR,$$@)
	$(Q)rm -f $$@ && $$(CROSS_$(1))ar rcsD $$@ $$^

# The port of docs/porting.md: the library, and what stands for the system ported to.
$(B)/$(1)/port.elf: $(B)/$(1)/tests/guest/port.o \
	$$(patsubst %,$(B)/$(1)/%.o,$$(basename $(SYSTEM) $$(filter boot/% arch/$(1)/%,$$(SOURCES_$(1))))) \
	$(B)/$(1)/libvtnet.a arch/$(1)/link.ld
	$$(call say,LD,$$@)
	$(Q)$$(LINK_$(1)) $$(sort $$(filter %.o,$$^)) $$(filter %.a,$$^) -lgcc -o $$@

# Rebuilds everything when the compiler or its flags change.
$(B)/$(1)/flags: FORCE
	@mkdir -p $$(@D)
	@echo '$$(COMPILE_$(1))' | cmp -s - $$@ || echo '$$(COMPILE_$(1))' > $$@

$(B)/$(1)/boot/start.o: $(B)/version

.PHONY: check-types-$(1)
check-types-$(1):
	$(Q)$$(filter-out -MMD -MP -c,$$(COMPILE_$(1))) $$(LONG_TYPES) $$(WARNINGS) -DVTNET_VERSION='""' -fsyntax-only \
		$$(filter %.c,$$(SOURCES_$(1))) $(wildcard examples/*/*.c bench/guest/*.c tests/guest/*.c)
endef
$(foreach arch,$(ARCHES),$(eval $(call arch_rules,$(arch))))

all-ppc: $(EXAMPLES:%=$(B)/ppc/%.bin) $(B)/ppc/prep-rom.bin

# What QEMU's -kernel takes on a PReP machine: the image without the reset vector.
$(EXAMPLES:%=$(B)/ppc/%.bin): %.bin: %.elf
	$(call say,BIN,$@)
	$(Q)$(CROSS_ppc)objcopy -O binary -R .reset $< $@

# Assembled for no address in particular: a ROM that starts it, and a disk with it.
$(B)/ppc/prep-%.bin: $(B)/ppc/boot/prep-%.o
	$(call say,BIN,$@)
	$(Q)$(CROSS_ppc)objcopy -O binary -j .text $< $@

$(B)/ppc/boot/prep-disk.o: private CFLAGS_ppc += -DIMAGE='"$(B)/ppc/vtnet-demo.bin"'
$(B)/ppc/boot/prep-disk.o: $(B)/ppc/vtnet-demo.bin

.PHONY: prep-disk
prep-disk: $(B)/ppc/prep-disk.bin ## a disk from which OpenBIOS on a PReP machine starts the demo
	@echo 'boots by: qemu-system-ppc -M 40p -cdrom $< -boot d'

$(B)/host/vtbench: $(sort $(wildcard bench/client/vtbench*.c)) $(wildcard bench/client/vtbench*.h)
	@mkdir -p $(@D)
	$(call say,HOST,$@)
	$(Q)$(HOSTCC) -std=gnu11 -O2 $(WARNINGS) $(filter %.c,$^) -o $@

$(B)/host/vtserve: $(sort $(wildcard bench/server/vtserve*.c)) bench/server/vtserve.h
	@mkdir -p $(@D)
	$(call say,HOST,$@)
	$(Q)$(HOSTCC) -std=gnu11 -O2 $(WARNINGS) $(filter %.c,$^) -o $@

$(B)/host/vhost-user: $(sort $(wildcard tests/vhost/*.c)) $(wildcard tests/vhost/*.h) virtio/virtio_spec.h virtio/virtio_endian.h
	@mkdir -p $(@D)
	$(call say,HOST,$@)
	$(Q)$(HOSTCC) -std=gnu11 -O2 $(WARNINGS) -I. $(filter %.c,$^) -o $@

# The sender of the floods of tests/system/test_hell.py.
$(B)/host/flood: $(sort $(wildcard tests/hell/*.c)) $(wildcard tests/hell/*.h)
	@mkdir -p $(@D)
	$(call say,HOST,$@)
	$(Q)$(HOSTCC) -std=gnu11 -O2 $(WARNINGS) -I. $(filter %.c,$^) -o $@

# The Linux that ./vm run --peer linux boots: Debian's kernel, and programs of ours.
PEER := $(B)/peers/linux
PEER_CC = $(CROSS_i386_linux)gcc -std=gnu11 -O2 $(WARNINGS) -static

$(PEER)/vtserve: $(sort $(wildcard bench/server/vtserve*.c)) bench/server/vtserve.h
	@mkdir -p $(@D)
	$(call say,CROSS,$@)
	$(Q)$(PEER_CC) $(filter %.c,$^) -o $@

$(PEER)/init: $(sort $(wildcard bench/server/linux/linux_*.c)) bench/server/linux/linux_init.h
	@mkdir -p $(@D)
	$(call say,CROSS,$@)
	$(Q)$(PEER_CC) $(filter %.c,$^) -o $@

$(PEER)/vmlinuz: $(LINUX)/boot/vmlinuz
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(PEER)/initramfs: bench/server/linux/make_initramfs.py $(PEER)/init $(PEER)/vtserve $(LINUX)/boot/vmlinuz
	$(call say,CPIO,$@)
	$(Q)$(PYTHON) $< $(LINUX) $@ $(PEER)/init $(PEER)/vtserve

.PHONY: linux-peer
linux-peer: ## a Linux guest to measure against, for ./vm run --peer linux
	@./setup linux-peer
	@$(MAKE) --no-print-directory $(PEER)/vmlinuz $(PEER)/initramfs

$(B)/host/lib/%.o: %.c
	@mkdir -p $(@D)
	$(call say,HOST,$<)
	$(Q)$(HOSTCC) -std=gnu11 -O2 $(WARNINGS) -I. -MMD -MP -c $< -o $@

$(B)/host/libvtnet.a: $(LIB:%.c=$(B)/host/lib/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsD $@ $^

# Unit tests, on the host under ASan and UBSan, and the same big-endian, for qemu-user. The core and its
# fakes are compiled once for each of the two; a test is linked with these and with what it adds.
UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_LIB := $(LIB) $(sort $(wildcard tests/unit/fake_*.c))
UNIT_ADDS_test_http := net/services/http_request.c
UNIT_ADDS_test_i82559 := $(sort $(wildcard net/legacy/i82559*.c))
UNIT_ADDS_test_ne2000 := $(sort $(wildcard net/legacy/ne2000*.c))
UNIT_ADDS_test_iperf := net/services/iperf_stream.c
UNIT_ADDS_test_iperf_time := tests/unit/no_stack.c
UNIT_ADDS_test_netserver_time := tests/unit/no_stack.c
UNIT_CFLAGS = -std=gnu11 -O1 -g $(WARNINGS) -DVIRTIO_CONFIG_DMA_MAP=1 -Wl,--wrap=virtqueue_address -I. -Itests/unit -Inet/lwip_port \
	-isystem $(LWIP)/src/include -isystem $(LWIP)/src
UNIT_CFLAGS += -DVIRTIO_CONFIG_BARRIERS=1
UNIT_host = $(HOSTCC) -fsanitize=address,undefined -fno-sanitize-recover=all $(UNIT_CFLAGS)
UNIT_LIBS_host := -lcmocka
# There is no package of cmocka for PowerPC.
UNIT_ppc-linux = $(CROSS_ppc_linux)gcc -static $(UNIT_CFLAGS) -I$(B)/ppc-linux
UNIT_LIBS_ppc-linux := $(B)/ppc-linux/cmocka.o

# $(1): host or ppc-linux
define unit_rules
$(B)/$(1)/unit/%.o: %.c $(B)/$(1)/unit.flags $$(filter %.o,$$(UNIT_LIBS_$(1)))
	@mkdir -p $$(@D)
	$$(call say,UNIT,$$@)
	$(Q)$$(UNIT_$(1)) -MMD -MP -c $$< -o $$@

$(B)/$(1)/unit/core.a: $(UNIT_LIB:%.c=$(B)/$(1)/unit/%.o)
	$(Q)rm -f $$@ && ar rcsD $$@ $$^

$(foreach test,$(UNIT_TESTS),$(B)/$(1)/unit/$(test): $(UNIT_ADDS_$(test):%.c=$(B)/$(1)/unit/%.o)
)
$(UNIT_TESTS:%=$(B)/$(1)/unit/%): $(B)/$(1)/unit/%: $(B)/$(1)/unit/tests/unit/%.o $(B)/$(1)/unit/core.a
	$$(call say,UNIT,$$@)
	$(Q)$$(UNIT_$(1)) $$(filter %.o,$$^) $(B)/$(1)/unit/core.a $$(UNIT_LIBS_$(1)) -o $$@

$(B)/$(1)/unit.flags: FORCE
	@mkdir -p $$(@D)
	@echo '$$(UNIT_$(1))' | cmp -s - $$@ || echo '$$(UNIT_$(1))' > $$@
endef
$(foreach flavour,host ppc-linux,$(eval $(call unit_rules,$(flavour))))

$(B)/ppc-linux/cmocka.o: tests/unit/cross/config.h $(CURDIR)/setup
	@mkdir -p $(@D)
	$(call say,CROSS,cmocka.c)
	$(Q)cmocka=$$(./setup --cmocka-dir) && cp "$$cmocka"/include/cmocka*.h $(@D) && \
		$(CROSS_ppc_linux)gcc -std=gnu11 -O1 -g -w -DHAVE_CONFIG_H -Itests/unit/cross -I$(@D) \
		-c "$$cmocka/src/cmocka.c" -o $@

LINT_C := $(filter-out %.S,$(sort $(SOURCES_i386) $(wildcard examples/*/*.c bench/guest/*.c tests/guest/*.c)))
LINT_PPC := $(filter-out $(LINT_C) %.S,$(sort $(SOURCES_ppc)))
LINT_HOST := $(sort $(wildcard bench/client/*.c bench/server/*.c bench/server/linux/*.c tests/vhost/*.c tests/hell/*.c))
FORMATTED := $(LINT_C) $(LINT_HOST) $(LINT_PPC) $(sort $(filter-out $(B)/%,$(wildcard */*.h */*/*.h tests/*/*.c)))
LINT_FLAGS = -std=gnu11 -ffreestanding -nostdinc -Wall -Wextra -I. -Iruntime/include -Inet/lwip_port -isystem $(LWIP)/src/include \
	-isystem $$(clang -print-file-name=include 2>/dev/null)

tidy = @printf '%s\n' $(1) | xargs -n 6 -P 2 sh -c 'clang-tidy --quiet "$$@" -- $(2) 2>&1 | \
	{ ! grep -E "(error|warning):" -A4; }' lint

.PHONY: docs
docs: ## the public headers and the documents as HTML: build/docs/html/index.html
	@./setup docs
	@mkdir -p $(B)/docs
	@VTNET_VERSION='$(VERSION)' VTNET_DOCS=$(B)/docs doxygen
	@echo 'docs: $(B)/docs/html/index.html'

.PHONY: check-docs
check-docs: all ## what the documents say: their commands, links, names
	@./vm netns -- $(PYTHON) -m pytest -q -rs tests/docs

.PHONY: check-conformance
check-docs: check-conformance
check-conformance: ## that the code and the tests named in docs/conformance.md are there, and its counts
	@$(PYTHON) tests/docs/conformance.py

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
	@$(MAKE) --no-print-directory -j$(JOBS) all-host $(if $(ARCH),all-$(ARCH),$(ARCHES:%=all-%))
	@set -e; for arch in $(or $(ARCH),$(ARCHES)); do ./vm run --arch $$arch -- bench/runner/demo; done

.PHONY: check
check: ## all the tests
	@./setup check
	@$(MAKE) --no-print-directory linux-peer || echo 'check: the tests of the Linux guest will be skipped'
	@$(MAKE) --no-print-directory -j$(JOBS) all unit-programs
	@$(MAKE) --no-print-directory -j$(JOBS) -O lint check-types check-builds check-unit check-endian check-fuzz check-bench check-static check-docs
	@$(MAKE) --no-print-directory check-system

.PHONY: unit-programs
unit-programs: $(foreach d,host ppc-linux,$(UNIT_TESTS:%=$(B)/$d/unit/%))

.PHONY: check-unit
check-unit: $(UNIT_TESTS:%=$(B)/host/unit/%) ## unit tests on the host, under ASan and UBSan
	@set -e; for test in $^; do echo "== $$test"; $$test; done

.PHONY: check-endian
check-endian: $(UNIT_TESTS:%=$(B)/ppc-linux/unit/%) ## the same big-endian, under qemu-ppc; types of shared fields
	@CC='$(HOSTCC)' tests/unit/endian-types
	@set -e; for test in $^; do echo "== $$test"; qemu-ppc $$test; done

.PHONY: check-system
check-system: all ## system tests: guests under QEMU, for each architecture; check-system-ARCH-NAME: of one file
	@{ $(MAKE) --no-print-directory -j$(shell expr 3 '*' $(JOBS)) -k -O $(CHECK_SYSTEM); echo $$? >$(B)/system.status; } \
		| tee $(B)/system.log
	@awk '/^[0-9].* in [0-9.]+s/ { for (i = 1; i < NF; i++) if ($$i ~ /^[0-9]+$$/) { w = $$(i + 1); sub(/,/, "", w); n[w] += $$i } } \
		END { printf "system tests:"; for (w in n) if (w != "deselected") printf " %d %s", n[w], w; print "" }' $(B)/system.log
	@exit $$(cat $(B)/system.status)

# Files, each in a network namespace of its own, three a processor: a test mostly waits. The longest first.
SYSTEM_TESTS := $(patsubst tests/system/test_%.py,%,$(sort $(wildcard tests/system/test_*.py)))
LONG_TESTS := images addresses netperf iperf ipv6 iperf_client offloads interrupts traffic two_guests running features ne2000
# These need more than ./setup check installs: make check-hypervisors.
HYPERVISOR_TESTS := grub bochs libvirt
CHECK_SYSTEM := $(foreach name,$(LONG_TESTS) $(filter-out $(LONG_TESTS) $(HYPERVISOR_TESTS),$(SYSTEM_TESTS)),\
	$(ARCHES:%=check-system-%-$(name)))
.PHONY: $(CHECK_SYSTEM)
$(CHECK_SYSTEM): check-system-%: # pytest's 5: no test of this architecture
	@echo '== tests/system/test_$(lastword $(subst -, ,$*)).py, $(firstword $(subst -, ,$*))'
	@./vm netns -- $(PYTHON) -m pytest -q -rsx -m 'not race' --arch=$(firstword $(subst -, ,$*)) \
		tests/system/test_$(lastword $(subst -, ,$*)).py || [ $$? = 5 ]

# Each attack takes HELL_S seconds; then the guest's memory has to come back, which takes up to two minutes.
HELL_S ?= 5
.PHONY: hell
hell: all ## the network from hell, at length: SEED=, HELL_S= seconds for each attack; some 40 minutes
	@for arch in $(ARCHES); do HELL_S='$(HELL_S)' SEED='$(SEED)' ./vm netns -- $(PYTHON) -m pytest -q -s --arch=$$arch \
		tests/system/test_hell.py || status=1; done; exit $${status:-0}

.PHONY: bench-icount
bench-icount: $(ARCHES:%=$(B)/%/vtnet-demo.elf) ## instructions a packet and layer; ICOUNT=--update: as expected from now on
	@./vm netns -- bench/trace/icount $(ICOUNT)

# In the images with the most in them, and in the library.
STACK_IMAGES := vtnet-demo iperf
.PHONY: check-static check-stack-i386 check-stack-ppc
check-static: check-stack-i386 check-stack-ppc ## what the machine code says: how deep the stack can become
check-stack-i386 check-stack-ppc: check-stack-%: $(foreach i,$(STACK_IMAGES:%=%.elf) libvtnet.a,$(B)/%/$i)
	@$(PYTHON) tests/static/stack $* --cross $(CROSS_$*) $^

# gcc's own analyser. Where it is mistaken: runtime/memory.c is the allocator, whose free() keeps the
# block; a group stays in the list of its card, which it loses sight of; pci/pci.c writes an entry before it counts it.
ANALYZE_runtime/memory.c := -Wno-analyzer-malloc-leak
ANALYZE_net/lwip_port/groups.c := -Wno-analyzer-malloc-leak
ANALYZE_pci/pci.c := -Wno-analyzer-use-of-uninitialized-value
ANALYZED_i386 := $(filter %.c,$(SOURCES_i386))
ANALYZED_ppc := $(filter-out $(ANALYZED_i386),$(filter %.c,$(SOURCES_ppc)))
define analyze_rules
.PHONY: $(ANALYZED_$(1):%=analyze-$(1)/%)
$(ANALYZED_$(1):%=analyze-$(1)/%): analyze-$(1)/%:
	$$(call say,ANALYZE,$$*)
	$(Q)$$(filter-out -MMD -MP -flto -flto-partition=one,$$(COMPILE_$(1))) -O1 -fanalyzer -Wall -Wextra -Werror $$(ANALYZE_$$*) \
		-DVTNET_VERSION='""' $$* -o /dev/null
endef
$(foreach arch,$(ARCHES),$(eval $(call analyze_rules,$(arch))))
.PHONY: analyze
analyze: $(foreach arch,$(ARCHES),$(ANALYZED_$(arch):%=analyze-$(arch)/%)) ## gcc -fanalyzer over all of the images' own sources
	@echo 'analyze: clean'
lint: analyze

.PHONY: check-model model
check-static: check-model
check-model: # what the models of the rings' barriers call a barrier is in the code yet
	@$(PYTHON) tests/model/check --code
model: ## the rings' barriers, by spin: with all nothing goes wrong, without any one something does; some 15 minutes
	@$(PYTHON) tests/model/check

# Mutants of virtio/ and pci/ (tests/mutants/README.md): MUTANTS='WORD ...' for those about these words only.
.PHONY: mutants check-mutants
mutants: unit-programs ## changes to virtio/ and pci/, each of which a unit test must notice; some 10 minutes
	@UNIT_ADDS='$(foreach test,$(UNIT_TESTS),$(UNIT_ADDS_$(test):%=$(test)=%))' JOBS='$(JOBS)' \
		$(PYTHON) tests/mutants/mutants.py $(MUTANTS)

lint: check-mutants
check-mutants:
	@$(PYTHON) tests/mutants/mutants.py --check

.PHONY: check-bench
check-bench: all-host ## tests of bench/runner/run and bench/report/render, without a guest
	@$(PYTHON) -m pytest -q -rs tests/bench

.PHONY: check-race
check-race: all ## shows the kicks that are lost without the remedy; may take minutes
	@./vm netns -- $(PYTHON) -m pytest -q -rs -m race tests/system

# Also what the machine's own QEMU may have no card for: tests/system/test_newer_qemu.py.
.PHONY: check-qemu10
check-qemu10: ## the system tests against QEMU 10, fetched if need be; takes some 8 minutes
	@./setup check
	@./setup qemu10
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@path=$$(./setup --qemu10-path) && qemu=$$(PATH="$$path" qemu-system-i386 --version | head -n1) && \
		echo "$$qemu" && PATH="$$path" $(MAKE) --no-print-directory check-system

.PHONY: soak
soak: $(foreach a,$(or $(ARCH),$(ARCHES)),$(B)/$a/vtnet-demo.elf) ## all services at full load for SOAK_S seconds, with trouble by lot (SEED=, ARCH=)
	@$(PYTHON) tests/soak/soak.py --seconds $(or $(SOAK_S),3600) $(SEED:%=--seed %) $(ARCH:%=--arch %) $(SEGMENT:%=--segment %)

.PHONY: liar
liar: all ## a device that lies, all lies on all kinds of device: with QEMU 10 (fetched if need be) also MSI-X
	@./setup qemu10
	@for path in "$$PATH" "$$(./setup --qemu10-path)"; do \
		PATH="$$path" LIAR=$(or $(LIES),all) ./vm netns -- $(PYTHON) -m pytest -q -s -rs --arch=i386 \
			tests/system/test_liar.py || exit; done

.PHONY: check-types
check-types: $(ARCHES:%=check-types-%) ## the sources where uint32_t is unsigned long, as for the compilers of make toolchains
	@echo 'types: uint32_t may be unsigned long'

BENCH_IMAGES := $(foreach arch,$(ARCHES),$(B)/$(arch)/vtnet-demo.elf $(B)/$(arch)/anatomy.elf)
# FREEBSD=IMAGE, and BENCH= for other options of bench/runner/run. A run that was interrupted goes on.
.PHONY: bench bench-quick
bench: ## measure against other cards and guests: results/.../report.html; some 15 minutes
	@./setup check
	@$(MAKE) --no-print-directory -j$(JOBS) all-host $(BENCH_IMAGES)
	-@$(MAKE) --no-print-directory linux-peer
	@bench/runner/run $(if $(FREEBSD),--freebsd '$(FREEBSD)') $(BENCH)

.PHONY: bench-floor
bench-floor: all-host $(foreach a,$(ARCHES),$(B)/$a/vtnet-demo.elf $(B)/$a/floor.elf) ## the guest beside a reflector without a stack, in turn; some 8 minutes
	@bench/runner/floor $(FLOOR)

bench-quick: ## the same in less than 5 minutes, and less sure
	@./setup check
	@$(MAKE) --no-print-directory -j$(JOBS) all-host $(BENCH_IMAGES)
	-@$(MAKE) --no-print-directory linux-peer
	@bench/runner/run --quick $(if $(FREEBSD),--freebsd '$(FREEBSD)') $(BENCH)

.PHONY: check-builds
check-builds: $(B)/ppc/libvtnet.a ## the same bytes from another folder, and a build by clang
	@rm -rf $(B)/again && mkdir -p $(B)/again
	@git ls-files -z | xargs -0 cp --parents -t $(B)/again 2>/dev/null || cp -r $(filter-out $(B),$(wildcard *)) $(B)/again
	@$(MAKE) --no-print-directory -j$(JOBS) -C $(B)/again VERSION='$(VERSION)' $(EXAMPLES:%=$(B)/i386/%.elf)
	@for e in $(EXAMPLES); do cmp $(B)/i386/$$e.elf $(B)/again/$(B)/i386/$$e.elf; done
	@rm -rf $(B)/again
	@$(MAKE) --no-print-directory -j$(JOBS) B=$(B)/clang CC_i386='clang --target=i386-linux-gnu' \
		$(EXAMPLES:%=$(B)/clang/i386/%.elf)
	@! $(CROSS_ppc)readelf -A $(B)/ppc/libvtnet.a | grep 'ABI_Struct_Return: memory'
	@echo 'builds: reproducible, clang builds i386, and a powerpc-eabi-gcc links libvtnet.a'

.PHONY: lint
lint: ## format, clang-tidy, cppcheck
	@clang-format --dry-run --Werror $(FORMATTED)
	$(call tidy,$(LINT_C),--target=i386-linux-gnu -Iarch/i386 $(LINT_FLAGS))
	$(call tidy,$(LINT_PPC),--target=powerpc-linux-gnu -Iarch/ppc $(LINT_FLAGS))
	$(call tidy,$(LINT_HOST),-std=gnu11 -I.)
	@cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr \
		--suppress=missingIncludeSystem -I. -Iarch/i386 $(LINT_C) $(LINT_HOST)
	@cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr \
		--suppress=missingIncludeSystem -I. -Iarch/ppc $(LINT_PPC)
	@echo 'lint: clean'

.PHONY: format
format: ## rewrite the C sources as clang-format has them
	clang-format -i $(FORMATTED)

include mk/fuzz.mk mk/release.mk mk/web.mk mk/images.mk

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
-include $(shell find $(B) -name '*.d' 2>/dev/null)
