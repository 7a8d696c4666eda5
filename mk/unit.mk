# SPDX-License-Identifier: BSD-2-Clause
# Unit tests on the host with ASan and UBSan, and the same ones big-endian with qemu-user. The core
# and its fakes are compiled once for each. A test is linked with these and with the sources that it
# adds.
UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_LIB := $(LIB) $(sort $(wildcard tests/unit/fake_*.c))
UNIT_ADDS_test_http := net/services/http_request.c
$(foreach test,test_i82559 test_i82559_rx test_i82559_tx,$(eval UNIT_ADDS_$(test) := $(sort $(wildcard net/legacy/i82559*.c))))
$(foreach test,test_ne2000 test_ne2000_rx test_ne2000_tx,$(eval UNIT_ADDS_$(test) := $(sort $(wildcard net/legacy/ne2000*.c))))
UNIT_ADDS_test_nic_virtio := net/nic.c $(sort $(wildcard net/nic_v*.c))
UNIT_ADDS_test_pci_irq := arch/ppc/wiring.c
UNIT_ADDS_test_iperf := net/services/iperf_stream.c
UNIT_ADDS_test_iperf_time := tests/unit/no_stack.c
UNIT_ADDS_test_iperf_questions := net/services/iperf_stream.c
UNIT_ADDS_test_netserver_time := tests/unit/no_stack.c
UNIT_CFLAGS = -std=gnu11 -O1 -g $(WARNINGS) -DVIRTIO_CONFIG_DMA_MAP=1 -Wl,--wrap=virtqueue_address -I. -Itests/unit -Inet/lwip_port \
	-isystem $(LWIP)/src/include -isystem $(LWIP)/src
UNIT_CFLAGS += -DVIRTIO_CONFIG_BARRIERS=1 -DVIRTIO_DEBUG=1
UNIT_host = $(HOSTCC) -fsanitize=address,undefined -fno-sanitize-recover=all $(UNIT_CFLAGS)
UNIT_LIBS_host := -lcmocka
# Debian has no cmocka package for PowerPC.
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

.PHONY: unit-programs
unit-programs: $(foreach d,host ppc-linux,$(UNIT_TESTS:%=$(B)/$d/unit/%))

.PHONY: check-unit
check-unit: $(UNIT_TESTS:%=$(B)/host/unit/%) ## unit tests on the host, under ASan and UBSan
	@set -e; for test in $(UNIT_TESTS:%=$(B)/host/unit/%); do echo "== $$test"; $$test; done

.PHONY: check-endian
check-endian: $(UNIT_TESTS:%=$(B)/ppc-linux/unit/%) ## the same big-endian, under qemu-ppc; types of shared fields
	@CC='$(HOSTCC)' tests/unit/endian-types
	@set -e; for test in $^; do echo "== $$test"; qemu-ppc $$test; done

# The port of docs/porting.md for several processors, on threads, with the fake device.
.PHONY: check-port-smp
check-unit: check-port-smp
check-port-smp: $(B)/host/port-smp
	@$< | grep 'port: 400 frames sent, 400 received'
$(B)/host/port-smp: $(addprefix tests/unit/,port_smp.c port_kernel.c $(addprefix fake_,pci.c virtio.c registers.c extras.c ctrl.c queue.c packed.c)) $(LIB) tests/unit/port_kernel.h
	@mkdir -p $(@D)
	$(call say,HOST,$@)
	$(Q)$(HOSTCC) -std=gnu11 -O1 $(WARNINGS) -fsanitize=address,undefined -pthread -DVIRTIO_DEBUG=1 -DVIRTIO_CONFIG_DMA_MAP=1 \
		-I. -Itests/unit $(filter %.c,$^) -lcmocka -o $@
