# SPDX-License-Identifier: BSD-2-Clause
# Checks without running the code: format, clang-tidy, cppcheck, gcc -fanalyzer, the stack bound,
# models and mutants.

LINT_C := $(filter-out %.S,$(sort $(SOURCES_i386) $(wildcard examples/*/*.c bench/guest/*.c tests/guest/*.c)))
LINT_PPC := $(filter-out $(LINT_C) %.S,$(sort $(SOURCES_ppc)))
LINT_HOST := $(sort $(wildcard bench/client/*.c bench/server/*.c bench/server/linux/*.c tests/vhost/*.c tests/hell/*.c))
FORMATTED := $(LINT_C) $(LINT_HOST) $(LINT_PPC) $(sort $(filter-out $(B)/%,$(wildcard */*.h */*/*.h tests/*/*.c)))
LINT_FLAGS = -std=gnu11 -ffreestanding -nostdinc -Wall -Wextra -I. -Iruntime/include -Inet/lwip_port -isystem $(LWIP)/src/include \
	-isystem $$(clang -print-file-name=include 2>/dev/null)

tidy = @printf '%s\n' $(1) | xargs -n 6 -P 2 sh -c 'clang-tidy --quiet "$$@" -- $(2) 2>&1 | \
	{ ! grep -E "(error|warning):" -A4; }' lint

# For the largest images, and for the library.
STACK_IMAGES := vtnet-demo iperf
.PHONY: check-static check-stack-i386 check-stack-ppc
check-static: check-stack-i386 check-stack-ppc ## what the machine code says: how deep the stack can become
check-stack-i386 check-stack-ppc: check-stack-%: $(foreach i,$(STACK_IMAGES:%=%.elf) libvtnet.a,$(B)/%/$i)
	@$(PYTHON) tests/static/stack $* --cross $(CROSS_$*) $^

# The library without what virtio/virtio_config.h leaves out, and its size. SIZES=--update writes the
# table of docs/porting.md.
.PHONY: check-sizes $(ARCHES:%=check-sizes-%)
check-static: check-sizes
check-sizes: check-least $(ARCHES:%=check-sizes-%) ## the build options of virtio/, and the sizes of the library
$(ARCHES:%=check-sizes-%): check-sizes-%:
	@$(PYTHON) tests/static/sizes $* --cross $(CROSS_$*) $(SIZES)

# The port of docs/porting.md on the host, with all options off.
LEAST := $(foreach option,PACKED CTRL OFFLOADS LEGACY WINDOW LOG,-DVIRTIO_CONFIG_$(option)=0)
.PHONY: check-least
check-least: $(B)/host/port-least
	@CMOCKA_TEST_ABORT=1 $< | grep 'port: 60 bytes came back'
$(B)/host/port-least: tests/unit/port.c $(addprefix tests/unit/fake_,pci.c virtio.c registers.c extras.c ctrl.c queue.c packed.c) $(LIB)
	@mkdir -p $(@D)
	$(call say,HOST,$@)
	$(Q)$(HOSTCC) -std=gnu11 -O1 $(WARNINGS) $(LEAST) -I. -Itests/unit $^ -lcmocka -o $@

# gcc's analyser. False positives: runtime/memory.c is the allocator, whose free() keeps the block;
# a group remains in its card's list, which the analyser does not see; pci/pci.c writes an entry
# before it counts it.
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

# Mutants of virtio/ and pci/ (tests/mutants/README.md): MUTANTS='WORD ...' selects those with these
# words.
.PHONY: mutants check-mutants
mutants: unit-programs ## changes to virtio/ and pci/, each of which a unit test must notice; some 10 minutes
	@UNIT_ADDS='$(foreach test,$(UNIT_TESTS),$(UNIT_ADDS_$(test):%=$(test)=%))' JOBS='$(JOBS)' \
		$(PYTHON) tests/mutants/mutants.py $(MUTANTS)

lint: check-mutants
check-mutants:
	@$(PYTHON) tests/mutants/mutants.py --check

lint: check-circles
.PHONY: check-circles
check-circles: ## files that use each other, but for those of tests/static/circles.txt
	@$(PYTHON) tests/static/circles

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
