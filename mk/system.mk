# SPDX-License-Identifier: BSD-2-Clause
# System tests: guests under QEMU.

$(B)/host/vhost-user: $(sort $(wildcard tests/vhost/*.c)) $(wildcard tests/vhost/*.h) virtio/virtio_spec.h virtio/virtio_endian.h
	@mkdir -p $(@D)
	$(call say,HOST,$@)
	$(Q)$(HOSTCC) -std=gnu11 -O2 $(WARNINGS) -I. $(filter %.c,$^) -o $@

# Sends the floods of tests/system/test_hell.py.
$(B)/host/flood: $(sort $(wildcard tests/hell/*.c)) $(wildcard tests/hell/*.h)
	@mkdir -p $(@D)
	$(call say,HOST,$@)
	$(Q)$(HOSTCC) -std=gnu11 -O2 $(WARNINGS) -I. $(filter %.c,$^) -o $@

# WITH: other tests to run beside them.
.PHONY: check-system
check-system: all ## system tests: guests under QEMU, for each architecture; check-system-ARCH-NAME: of one file
	@{ $(MAKE) --no-print-directory -j$(shell expr 3 '*' $(JOBS)) -k -O $(WITH) $(CHECK_SYSTEM); echo $$? >$(B)/system.status; } \
		| tee $(B)/system.log
	@awk '/^[0-9].* in [0-9.]+s/ { for (i = 1; i < NF; i++) if ($$i ~ /^[0-9]+$$/) { w = $$(i + 1); sub(/,/, "", w); n[w] += $$i } } \
		END { printf "pytest:"; for (w in n) if (w != "deselected") printf " %d %s", n[w], w; print "" }' $(B)/system.log
	@exit $$(cat $(B)/system.status)

# Test files, each in its own network namespace, three per processor, as a test waits part of its time. The
# longest come first.
SYSTEM_TESTS := $(patsubst tests/system/test_%.py,%,$(sort $(wildcard tests/system/test_*.py)))
LONG_TESTS := images addresses netperf iperf ipv6 iperf_client offloads interrupts traffic two_guests running features ne2000
# These need more packages than ./setup check installs: make check-hypervisors.
HYPERVISOR_TESTS := grub bochs libvirt passt
CHECK_SYSTEM := $(foreach name,$(filter $(SYSTEM_TESTS),$(LONG_TESTS)) $(filter-out $(LONG_TESTS) $(HYPERVISOR_TESTS),$(SYSTEM_TESTS)),\
	$(ARCHES:%=check-system-%-$(name)))
.PHONY: $(CHECK_SYSTEM)
$(CHECK_SYSTEM): check-system-%: # pytest's 5: no test of this architecture
	@echo '== tests/system/test_$(lastword $(subst -, ,$*)).py, $(firstword $(subst -, ,$*))'
	@./vm netns -- $(PYTHON) -m pytest -q -rsx -m 'not race' --arch=$(firstword $(subst -, ,$*)) \
		tests/system/test_$(lastword $(subst -, ,$*)).py || [ $$? = 5 ]

# Each attack takes HELL_S seconds; then the guest's memory must be freed, which takes up to two
# minutes.
HELL_S ?= 5
.PHONY: hell
hell: all ## the network from hell, at length: SEED=, HELL_S= seconds for each attack; some 40 minutes
	@for arch in $(ARCHES); do HELL_S='$(HELL_S)' SEED='$(SEED)' ./vm netns -- $(PYTHON) -m pytest -q -s --arch=$$arch \
		tests/system/test_hell.py || status=1; done; exit $${status:-0}

.PHONY: check-race
check-race: all ## shows the kicks that are lost without the remedy; may take minutes
	@./vm netns -- $(PYTHON) -m pytest -q -rs -m race tests/system

# Includes features that the machine's own QEMU may lack: tests/system/test_newer_qemu.py. On the
# command line SYSTEM_TESTS='machine features' runs these files only.
.PHONY: check-qemu10 check-qemu-unstable
check-qemu10: ## the system tests against QEMU 10, fetched if need be; takes some 8 minutes
check-qemu-unstable: ## the same against Debian unstable's QEMU
check-qemu10 check-qemu-unstable: check-%:
	@./setup check
	@./setup $*
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@path=$$(./setup --$*-path) && qemu=$$(PATH="$$path" qemu-system-i386 --version | head -n1) && \
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
