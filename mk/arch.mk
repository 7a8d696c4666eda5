# SPDX-License-Identifier: BSD-2-Clause
# Per architecture: compiler and flags, images, the library.

# gcc passes only the second of the two maps to the assembler; i686-elf-gcc keeps frame pointers by default.
CFLAGS_all = -std=gnu11 -O2 -g -ffreestanding -nostdinc -fno-pie -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fomit-frame-pointer -ffunction-sections -fdata-sections -fno-common \
	-frandom-seed=$@ \
	$(foreach map,$(CURDIR)=. $(LWIP:%=%=lwip),-ffile-prefix-map=$(map) -fdebug-prefix-map=$(map))
# The whole program is optimised at once (LTO): calls cost most of the time under an emulator, which
# looks up each target outside of the current page. clang has no linker for it here.
is_clang = $(findstring clang,$(shell $(1) --version 2>/dev/null))
LTO := -flto -flto-partition=one
# What each frame passes through: -O3 takes 5 to 14 % fewer instructions there, and 26 KB. All of it
# at -O3 would take 0 to 4 % fewer, and 90 KB more.
HOT := virtio/virtqueue%.c virtio/virtio_net%.c net/lwip_port/%.c net/loop.c \
	$(foreach f,core/ipv4/etharp core/ipv4/ip4 core/pbuf core/tcp core/tcp_in core/tcp_out core/udp netif/ethernet,lwip/$f.c)
level_of = $(if $(filter $(HOT),$(1)),-O3)
# powerpc-eabi-gcc and powerpc-linux-gnu-gcc return small structures differently, but a library made
# by one may be linked by the other.
CFLAGS_i386 := -m32 -march=i486 -mtune=generic -mno-sse -mno-mmx -mno-80387
# Only for what is linked here: nothing in it needs more alignment, while a program that takes the
# library may.
STACK_i386 := -mpreferred-stack-boundary=2
CFLAGS_ppc := -mcpu=603 -mbig-endian -msoft-float -mno-altivec -mno-multiple -msdata=none -G 0 \
	-msvr4-struct-return -ffixed-r2 -ffixed-r13

SYSTEM := $(sort $(wildcard runtime/*.c)) arch/calibration.c arch/fault.c arch/uart16550.c boot/address_text.c boot/arguments.c boot/arguments_check.c boot/command_line.c boot/fw_cfg.c boot/ipv6_text.c boot/start.c
# The types of i686-elf-gcc and powerpc-eabi-gcc, where `%u` does not match uint32_t.
LONG_TYPES := $(foreach t,INT32 INT_LEAST32 INTPTR,-U__$(t)_TYPE__ -D__$(t)_TYPE__=long \
	-U__U$(t)_TYPE__ -D__U$(t)_TYPE__='unsigned long')

define arch_rules
.PHONY: all-$(1)
all-$(1): $(patsubst %,$(B)/$(1)/%.elf,$(EXAMPLES) $(TEST_GUESTS) $(BENCH_GUESTS) port)

CC_INCLUDE_$(1) := $$(shell $$(CC_$(1)) -print-file-name=include 2>/dev/null)
INCLUDES_$(1) = -I. -Iarch/$(1) -Iruntime/include -Inet/lwip_port -I$$(LWIP)/src/include \
	-isystem $$(CC_INCLUDE_$(1))
LTO_$(1) := $$(if $$(call is_clang,$$(CC_$(1))),,$$(LTO))
COMPILE_$(1) = $$(CC_$(1)) $$(CFLAGS_all) $$(CFLAGS_$(1)) $$(LTO_$(1)) $$(INCLUDES_$(1)) -MMD -MP -c
IMAGE_$(1) := $$(if $$(call is_clang,$$(CC_$(1))),,$$(STACK_$(1)))
LINK_$(1) = $$(if $$(LTO_$(1)),$$(CC_$(1)),$$(CROSS_$(1))gcc) $$(CFLAGS_all) $$(CFLAGS_$(1)) $$(IMAGE_$(1)) $$(LTO_$(1)) -nostdlib -static -no-pie \
	-Wl,--build-id=none -Wl,--gc-sections -Wl,-z,noexecstack -T arch/$(1)/link.ld

$(B)/$(1)/%.o: %.c $(B)/$(1)/flags
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)
	$(Q)$$(COMPILE_$(1)) $$(IMAGE_$(1)) $$(call level_of,$$<) $$(WARNINGS) $$(if $$(filter boot/start.c,$$<),-DVTNET_VERSION='"$(VERSION)"') $$< -o $$@

$(B)/$(1)/%.o: %.S $(B)/$(1)/flags
	@mkdir -p $$(@D)
	$$(call say,AS,$$<)
	$(Q)$$(COMPILE_$(1)) $$< -o $$@

# Functions that the compiler calls implicitly must not be optimised away, and must not call
# themselves.
$(B)/$(1)/runtime/string.o: LTO_$(1) := $$(if $$(LTO_$(1)),-fno-lto -fno-tree-loop-distribute-patterns)

$(B)/$(1)/lwip/%.o: $$(LWIP)/src/%.c $(B)/$(1)/flags
	@mkdir -p $$(@D)
	$$(call say,CC,lwip/$$*.c)
	$(Q)$$(COMPILE_$(1)) $$(IMAGE_$(1)) $$(call level_of,lwip/$$*.c) -w $$(if $$(filter apps/%,$$*),-Os) $$< -o $$@

OBJECTS_$(1) := $$(patsubst %,$(B)/$(1)/%.o,$$(basename $$(SOURCES_$(1)))) \
	$$(patsubst %.c,$(B)/$(1)/lwip/%.o,$$(LWIP_SOURCES))

$(foreach e,$(EXAMPLES),$(eval $(B)/$(1)/$(e).elf: $(patsubst %.c,$(B)/$(1)/%.o,$(wildcard examples/$(e)/*.c))))
$(TEST_GUESTS:%=$(B)/$(1)/%.elf): $(B)/$(1)/%.elf: $(B)/$(1)/tests/guest/%.o
$(BENCH_GUESTS:%=$(B)/$(1)/%.elf): $(B)/$(1)/%.elf: $(B)/$(1)/bench/guest/%.o
$(B)/$(1)/%.elf: $$(OBJECTS_$(1)) arch/$(1)/link.ld Makefile mk/arch.mk
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

# The port of docs/porting.md: the library, and replacements for the system.
$(B)/$(1)/port.elf: $(B)/$(1)/tests/guest/port.o \
	$$(patsubst %,$(B)/$(1)/%.o,$$(basename $(SYSTEM) $$(filter boot/% arch/$(1)/%,$$(SOURCES_$(1))))) \
	$(B)/$(1)/libvtnet.a arch/$(1)/link.ld
	$$(call say,LD,$$@)
	$(Q)$$(LINK_$(1)) $$(sort $$(filter %.o,$$^)) $$(filter %.a,$$^) -lgcc -o $$@

# Rebuilds everything when the compiler or its flags change.
$(B)/$(1)/flags: FORCE
	@mkdir -p $$(@D)
	@echo '$$(COMPILE_$(1)) $$(IMAGE_$(1)) $(HOT)' | cmp -s - $$@ || echo '$$(COMPILE_$(1)) $$(IMAGE_$(1)) $(HOT)' > $$@

$(B)/$(1)/boot/start.o: $(B)/version

.PHONY: check-types-$(1)
check-types-$(1):
	$(Q)$$(filter-out -MMD -MP -c,$$(COMPILE_$(1))) $$(LONG_TYPES) $$(WARNINGS) -DVTNET_VERSION='""' -fsyntax-only \
		$$(filter %.c,$$(SOURCES_$(1))) $(wildcard examples/*/*.c bench/guest/*.c tests/guest/*.c)
endef
$(foreach arch,$(ARCHES),$(eval $(call arch_rules,$(arch))))

all-ppc: $(EXAMPLES:%=$(B)/ppc/%.bin) $(B)/ppc/prep-rom.bin

# The format for QEMU's -kernel on a PReP machine: the image without the reset vector.
$(EXAMPLES:%=$(B)/ppc/%.bin): %.bin: %.elf
	$(call say,BIN,$@)
	$(Q)$(CROSS_ppc)objcopy -O binary -R .reset $< $@

# Assembled without a fixed address: a ROM that starts the image, and a disk that contains it.
$(B)/ppc/prep-%.bin: $(B)/ppc/boot/prep-%.o
	$(call say,BIN,$@)
	$(Q)$(CROSS_ppc)objcopy -O binary -j .text $< $@

$(B)/ppc/boot/prep-disk.o: private CFLAGS_ppc += -DIMAGE='"$(B)/ppc/vtnet-demo.bin"'
$(B)/ppc/boot/prep-disk.o: $(B)/ppc/vtnet-demo.bin

.PHONY: prep-disk
prep-disk: $(B)/ppc/prep-disk.bin ## a disk from which OpenBIOS on a PReP machine starts the demo
	@echo 'boots by: qemu-system-ppc -M 40p -cdrom $< -boot d'

.PHONY: lib lib-host
lib: $(ARCHES:%=$(B)/%/libvtnet.a) lib-host ## virtio/ and pci/ as a library: docs/porting.md
lib-host: $(B)/host/libvtnet.a ## the same for the host only, which takes no cross compilers

$(B)/host/lib/%.o: %.c
	@mkdir -p $(@D)
	$(call say,HOST,$<)
	$(Q)$(HOSTCC) -std=gnu11 -O2 $(WARNINGS) -I. -MMD -MP -c $< -o $@

$(B)/host/libvtnet.a: $(LIB:%.c=$(B)/host/lib/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsD $@ $^

.PHONY: check-types
check-types: $(ARCHES:%=check-types-%) ## the sources where uint32_t is unsigned long, as for the compilers of make toolchains
	@echo 'types: uint32_t may be unsigned long'

# These two have all sources but main.c of the other examples.
REPRODUCED := iperf vtnet-demo
.PHONY: check-builds
check-builds: $(B)/ppc/libvtnet.a ## the same bytes from another folder, and a build by clang
	@rm -rf $(B)/again && mkdir -p $(B)/again
	@git ls-files -z | xargs -0 cp --parents -t $(B)/again 2>/dev/null || cp -r $(filter-out $(B),$(wildcard *)) $(B)/again
	@$(MAKE) --no-print-directory -j$(JOBS) -C $(B)/again VERSION='$(VERSION)' $(REPRODUCED:%=$(B)/i386/%.elf)
	@for e in $(REPRODUCED); do cmp $(B)/i386/$$e.elf $(B)/again/$(B)/i386/$$e.elf || exit; done
	@rm -rf $(B)/again
	@$(MAKE) --no-print-directory -j$(JOBS) B=$(B)/clang CC_i386='clang --target=i386-linux-gnu' \
		$(EXAMPLES:%=$(B)/clang/i386/%.elf)
	@! $(CROSS_ppc)readelf -A $(B)/ppc/libvtnet.a | grep 'ABI_Struct_Return: memory'
	@echo 'builds: reproducible, clang builds i386, and a powerpc-eabi-gcc links libvtnet.a'
