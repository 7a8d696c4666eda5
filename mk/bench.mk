# SPDX-License-Identifier: BSD-2-Clause
# Measurements: programs of the host, the Linux peer, runs.

.PHONY: all-host
all-host: $(B)/host/vtbench $(B)/host/vtserve

$(B)/host/vtbench: $(sort $(wildcard bench/client/vtbench*.c)) $(wildcard bench/client/vtbench*.h)
	@mkdir -p $(@D)
	$(call say,HOST,$@)
	$(Q)$(HOSTCC) -std=gnu11 -O2 $(WARNINGS) $(filter %.c,$^) -o $@

$(B)/host/vtserve: $(sort $(wildcard bench/server/vtserve*.c)) bench/server/vtserve.h
	@mkdir -p $(@D)
	$(call say,HOST,$@)
	$(Q)$(HOSTCC) -std=gnu11 -O2 $(WARNINGS) $(filter %.c,$^) -o $@

# The Linux that ./vm run --peer linux boots: Debian's kernel with programs of this project.
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

.PHONY: check-bench
check-bench: all-host ## tests of bench/runner/run and bench/report/render, without a guest
	@$(PYTHON) -m pytest -q -rs tests/bench

.PHONY: bench-icount
bench-icount: $(ARCHES:%=$(B)/%/vtnet-demo.elf) ## instructions a packet and layer; ICOUNT=--update: as expected from now on; FUNCTIONS=1: by function
	@./vm netns -- bench/trace/icount $(if $(FUNCTIONS),--functions) $(ICOUNT)

.PHONY: bench-icount-gcc14
bench-icount-gcc14: ## the same of images by gcc 14, fetched if need be
	@./setup gcc14
	@path=$$(./setup --gcc14-path) && PATH="$$path" $(MAKE) --no-print-directory -j$(JOBS) B=$(B)/gcc14 \
		CROSS_i386=i686-linux-gnu- CROSS_ppc=powerpc-linux-gnu- $(ARCHES:%=$(B)/gcc14/%/vtnet-demo.elf)
	@./vm netns -- bench/trace/icount --images $(B)/gcc14 $(ICOUNT)

.PHONY: bench-connections
bench-connections: $(ARCHES:%=$(B)/%/connections.elf) ## instructions of a message with one TCP connection, and with 4,000
	@./vm netns -- bench/trace/connections

.PHONY: bench-exits
bench-exits: $(ARCHES:%=$(B)/%/vtnet-demo.elf) $(B)/host/vtbench ## exits of a message, for each mode: the tables of docs/performance.md
	@./vm netns -- bench/trace/exits --write $(EXITS)

BENCH_IMAGES := $(foreach arch,$(ARCHES),$(B)/$(arch)/vtnet-demo.elf $(B)/$(arch)/anatomy.elf)
# FREEBSD=IMAGE; BENCH= for other options of bench/runner/run. An interrupted run is continued.
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
