# SPDX-License-Identifier: BSD-2-Clause
# Fuzzing: libFuzzer with ASan and UBSan. The driver's loads call the fuzzed device (trace-loads).
FUZZ_TARGETS := ring control pci arguments console frames services
# These build quickly and are part of `make check`.
FUZZ_CHECKED := ring control pci arguments console
FUZZ_TARGET ?= $(FUZZ_TARGETS)
FUZZ_S ?= 60
FUZZ_CC ?= clang
FUZZ_FLAGS := -std=gnu11 -O1 -g -fno-pie -no-pie -Wno-unused-command-line-argument $(WARNINGS) -DVIRTIO_CONFIG_DMA_MAP=1 -I. -Itests/fuzz -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all
FUZZ_DEVICE := $(addprefix tests/fuzz/,input.c arena.c platform.c device.c device_act.c device_rings.c client.c)
FUZZ_DRIVER := $(filter-out virtio/virtio_pci%,$(VIRTIO))
FUZZ_SOURCES_ring := $(FUZZ_DRIVER) $(FUZZ_DEVICE)
FUZZ_SOURCES_control := $(FUZZ_DRIVER) $(FUZZ_DEVICE)
FUZZ_SOURCES_pci := $(VIRTIO) $(PCI) $(addprefix tests/fuzz/,input.c arena.c platform.c machine.c)
FUZZ_SOURCES_arguments := $(addprefix boot/,address_text.c arguments.c arguments_check.c command_line.c fw_cfg.c \
	image_path.c ipv6_text.c multiboot.c) $(addprefix tests/fuzz/,input.c arena.c host.c)
FUZZ_LINK_arguments := -Wl,--wrap=printf

FUZZ_SOURCES_console := $(addprefix console/,line.c command.c figures.c) tests/fuzz/input.c
FUZZ_LINK_console := -Wl,--wrap=printf

# The stack's variables are in separate sections, so that each input starts with the same state.
FUZZ_STACK := $(filter-out net/nic.c net/nic_%,$(wildcard net/*.c net/lwip_port/*.c net/services/*.c)) \
	$(addprefix boot/,address_text.c arguments.c arguments_check.c fw_cfg.c ipv6_text.c) examples/net_config.c runtime/stamp.c
FUZZ_NET := $(addprefix tests/fuzz/,input.c arena.c host.c card.c stack.c peer.c)
FUZZ_LWIP := $(LWIP_SOURCES:%.c=$(B)/fuzz/objects/lwip/%.o)
FUZZ_SOURCES_frames := $(FUZZ_STACK) $(FUZZ_NET)
FUZZ_SOURCES_services := $(FUZZ_STACK) $(FUZZ_NET)
FUZZ_LINK_frames := -Wl,--wrap=printf
FUZZ_LINK_services := -Wl,--wrap=printf
FUZZ_INCLUDES := -Inet/lwip_port -isystem $(LWIP)/src/include -DSSIZE_MAX=__LONG_MAX__ -DIPV6_FRAG_COPYHEADER=1 -Wno-macro-redefined
FUZZ_KEEP := -include tests/fuzz/sections.h -fno-builtin-printf \
	-Dmalloc=host_malloc -Dcalloc=host_calloc -Dfree=memory_free

$(B)/fuzz/objects/lwip/%.o: $(LWIP)/src/%.c $(B)/fuzz/flags
	@mkdir -p $(@D)
	$(call say,FUZZ,lwip/$*.c)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) $(FUZZ_KEEP) $(FUZZ_INCLUDES) -w -MMD -MP -c $< -o $@

$(B)/fuzz/frames $(B)/fuzz/services: $(FUZZ_LWIP)

$(B)/fuzz/objects/%.o: %.c $(B)/fuzz/flags
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) $(if $(filter virtio/%,$<),-fsanitize-coverage=trace-loads) \
		$(if $(filter boot/% examples/% net/% runtime/%,$<),$(FUZZ_KEEP)) $(FUZZ_INCLUDES) -MMD -MP -c $< -o $@

$(foreach target,$(FUZZ_TARGETS),$(eval $(B)/fuzz/$(target): $(FUZZ_SOURCES_$(target):%.c=$(B)/fuzz/objects/%.o)))
$(FUZZ_TARGETS:%=$(B)/fuzz/%): $(B)/fuzz/%: $(B)/fuzz/objects/tests/fuzz/%.o
	$(call say,FUZZ,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer $(FUZZ_LINK_$*) $(filter %.o,$^) -o $@

$(B)/fuzz/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FUZZ_CC) $(FUZZ_FLAGS) $(FUZZ_KEEP) $(FUZZ_INCLUDES)' | cmp -s - $@ || \
		echo '$(FUZZ_CC) $(FUZZ_FLAGS) $(FUZZ_KEEP) $(FUZZ_INCLUDES)' > $@

.PHONY: fuzz
fuzz: $(FUZZ_TARGET:%=$(B)/fuzz/%) ## fuzz each target for FUZZ_S=60 seconds, JOBS= at once; FUZZ_TARGET= for some only
	@tests/fuzz/run --seconds $(FUZZ_S) --jobs $(JOBS) $(FUZZ_TARGET)

.PHONY: fuzz-coverage
fuzz-coverage: ## lines and branches that the inputs found so far reach, of virtio/, pci/, net/, boot/
	@$(MAKE) --no-print-directory -j$(JOBS) B=$(B)/fuzz-coverage \
		FUZZ_CC='$(FUZZ_CC) -fprofile-instr-generate -fcoverage-mapping' $(FUZZ_TARGET:%=$(B)/fuzz-coverage/fuzz/%)
	@tests/fuzz/run --coverage --jobs 1 $(FUZZ_TARGET)

.PHONY: check-fuzz
check-fuzz: $(FUZZ_CHECKED:%=$(B)/fuzz/%) ## run each committed input of the fuzz targets once
	@tests/fuzz/run --replay $(FUZZ_CHECKED)
