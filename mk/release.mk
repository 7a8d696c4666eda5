# SPDX-License-Identifier: BSD-2-Clause
# Installation, an archive, and files for editors and reviewers.

version_part = $(shell sed -n 's/^\#define VIRTIO_NET_VERSION_$(1) //p' virtio/virtio_version.h)
RELEASE := $(call version_part,MAJOR).$(call version_part,MINOR).$(call version_part,PATCH)

PREFIX ?= /usr/local
# host, i386 or ppc: the library to install.
INSTALLED_ARCH := $(or $(ARCH),host)
INSTALLED_HEADERS := $(addprefix virtio/,virtio.h virtio_config.h virtio_endian.h virtio_frame.h virtio_net.h virtio_pci.h virtio_platform.h virtio_pool.h \
	virtio_spec.h virtio_version.h virtqueue.h) pci/pci.h pci/pci_platform.h
PC_FLAGS_ppc := -msvr4-struct-return
into = $(DESTDIR)$(PREFIX)/$(1)

.PHONY: install
install: $(B)/$(INSTALLED_ARCH)/libvtnet.a $(B)/host/vtbench $(B)/host/vtserve ## the library, its headers and the tools: PREFIX=/usr/local DESTDIR= ARCH=host|i386|ppc
	@install -d $(call into,include/vtnet/virtio) $(call into,include/vtnet/pci) $(call into,lib/pkgconfig) \
		$(call into,bin) $(call into,share/man/man1)
	@for header in $(INSTALLED_HEADERS); do install -m 644 $$header $(call into,include/vtnet/)$$header; done
	@install -m 644 $(B)/$(INSTALLED_ARCH)/libvtnet.a $(call into,lib)
	@printf '%s\n' 'prefix=$(PREFIX)' 'includedir=$${prefix}/include' 'libdir=$${prefix}/lib' '' 'Name: vtnet' \
		'Description: a virtio network driver, without a system' 'Version: $(RELEASE)' \
		'Cflags: -I$${includedir}/vtnet$(PC_FLAGS_$(INSTALLED_ARCH):%= %)' 'Libs: -L$${libdir} -lvtnet' >$(call into,lib/pkgconfig/vtnet.pc)
	@install $(B)/host/vtbench $(B)/host/vtserve $(call into,bin)
	@install -m 644 docs/man/*.1 $(call into,share/man/man1)
	@echo 'install: vtnet $(RELEASE) for $(INSTALLED_ARCH), in $(DESTDIR)$(PREFIX)'

.PHONY: dist
dist: ## the committed sources as build/vtnet-VERSION.tar.gz, the same bytes each time
	@git rev-parse -q --verify HEAD >/dev/null || { echo 'dist: the sources are not in a git repository' >&2; exit 1; }
	@mkdir -p $(B)
	@git archive --format=tar --prefix=vtnet-$(RELEASE)/ HEAD | gzip -9n >$(B)/vtnet-$(RELEASE).tar.gz
	@cd $(B) && sha256sum vtnet-$(RELEASE).tar.gz | tee vtnet-$(RELEASE).tar.gz.sha256

# A folder for a web server; docs/index.html links everything in it.
RELEASED := $(B)/release
.PHONY: release
release: dist docs web iso disk prep-disk ## all that a release has, with checksums: build/release
	@rm -rf $(RELEASED) && mkdir -p $(RELEASED)
	@cp -r $(B)/web $(RELEASED)/web && cp -r $(B)/docs/html $(RELEASED)/docs
	@sed 's/@VERSION@/$(RELEASE)/g' docs/index.html >$(RELEASED)/index.html
	@cp $(B)/vtnet-$(RELEASE).tar.gz $(B)/vtnet.iso $(B)/vtnet.img $(B)/ppc/prep-disk.bin $(RELEASED)
	@$(CROSS_i386)strip -o $(RELEASED)/vtnet-demo-i386.elf $(B)/i386/vtnet-demo.elf
	@$(CROSS_ppc)strip -o $(RELEASED)/vtnet-demo-ppc.elf $(B)/ppc/vtnet-demo.elf
	@cd $(RELEASED) && sha256sum vtnet* prep-disk.bin | tee SHA256SUMS
	@cd $(RELEASED) && for file in $$(sed -n 's/.*href="\([^"]*\)".*/\1/p' index.html); do \
		[ -e $$file ] || { echo "release: $$file is not there" >&2; exit 1; }; done

# One entry per source and machine, for clangd and similar tools. $(1): command; $(2): source
entry = $(file >>compile_commands.json,{"directory": "$(CURDIR)"$(comma) "file": "$(2)"$(comma) \
	"command": "$(subst ",\",$(filter-out -MMD -MP -c,$(1))) -c $(2)"}$(comma))
comma := ,
.PHONY: compile_commands.json
compile_commands.json: ## for editors: how each source is compiled
	$(file >$@,[)
	$(foreach arch,$(ARCHES),$(foreach source,$(filter %.c,$(SOURCES_$(arch))),$(call entry,$(COMPILE_$(arch)),$(source))))
	$(foreach source,$(wildcard tests/unit/*.c),$(call entry,$(UNIT_host),$(source)))
	$(foreach source,$(LINT_HOST),$(call entry,$(HOSTCC) -std=gnu11 -I.,$(source)))
	@sed -i '$$s/,$$/\n]/' $@
	@echo 'compile_commands.json: written'

# Lines and branches executed by the unit tests.
.PHONY: coverage
coverage: ## how much of virtio/, pci/ and net/lwip_port/ the unit tests run: build/coverage/index.html
	@command -v gcovr >/dev/null || { echo 'coverage: gcovr is missing; ./setup check installs it' >&2; exit 1; }
	@find $(B)/coverage -name '*.gcda' -delete 2>/dev/null; mkdir -p $(B)/coverage
	@$(MAKE) --no-print-directory -j$(JOBS) B=$(B)/coverage HOSTCC='gcc --coverage' $(UNIT_TESTS:%=$(B)/coverage/host/unit/%)
	@set -e; for test in $(UNIT_TESTS:%=$(B)/coverage/host/unit/%); do $$test >/dev/null 2>&1; done
	@gcovr --root . --filter virtio/ --filter pci/ --filter net/lwip_port/ --exclude-unreachable-branches \
		--html-details $(B)/coverage/index.html --print-summary $(B)/coverage
