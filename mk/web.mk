# SPDX-License-Identifier: BSD-2-Clause
# The page that runs the guest in a browser: web/README.md.

WEB := $(B)/web
WEB_OWN := $(patsubst web/%,$(WEB)/%,$(filter-out web/guest.html web/watch.js,$(wildcard web/*.html web/*.css web/*.js)))
WEB_V86 := $(addprefix $(WEB)/v86/,libv86.mjs v86.wasm LICENSE)
NPM := $(B)/npm
V86 := $(NPM)/node_modules/v86
WEB_PORT ?= 8000

.PHONY: web web-files web-serve
web: ## a page that runs the guest in a browser: build/web, for any web server
	@./setup web
	@$(MAKE) --no-print-directory web-files
	@echo "web: $(WEB), $$(cd $(WEB) && find . -type f ! -name LICENSE -exec sh -c 'gzip -9c "$$1" | wc -c' _ {} ';' | \
		awk '{ sum += $$1 } END { printf "%.0f KiB", sum / 1024 }') with gzip"

web-files: $(WEB_OWN) $(WEB_V86) $(WEB)/vtnet-demo.elf

web-serve: web ## the same, at http://127.0.0.1:8000/ (WEB_PORT=)
	@$(PYTHON) web/serve $(WEB) $(WEB_PORT)

$(WEB_OWN): $(WEB)/%: web/%
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(WEB)/vtnet-demo.elf: $(B)/i386/vtnet-demo.elf
	@mkdir -p $(@D)
	$(call say,STRIP,$@)
	$(Q)$(CROSS_i386)strip -o $@ $<

# The packages of web/package-lock.json; npm verifies their checksums.
$(V86)/package.json: web/package.json web/package-lock.json web/.npmrc
	@mkdir -p $(NPM)
	$(call say,NPM,$(NPM))
	$(Q)cp $^ $(NPM) && cd $(NPM) && npm ci --silent
	$(Q)touch $@

$(WEB)/v86/LICENSE: $(V86)/package.json
	@mkdir -p $(@D)
	$(Q)cp $(V86)/LICENSE $@
$(WEB)/v86/%: $(V86)/package.json
	@mkdir -p $(@D)
	$(Q)cp $(V86)/build/$* $@

# The page that the guest serves to browsers. PAGE=0 leaves it out.
PAGE ?= 1
$(foreach arch,$(ARCHES),$(eval $(B)/$(arch)/net/services/page.o: private CFLAGS_$(arch) += -DPAGE='"$(B)/guest.html.gz"'))
$(ARCHES:%=$(B)/%/net/services/page.o): $(B)/guest.html.gz
$(B)/guest.html.gz: web/embed web/guest.html web/style.css web/view.js web/watch.js $(B)/page.wanted
	$(call say,PAGE,$@)
	$(Q)$(if $(filter 0,$(PAGE)),: >$@,$(PYTHON) web/embed web/guest.html $@)
$(B)/page.wanted: FORCE
	@mkdir -p $(@D)
	@echo '$(PAGE)' | cmp -s - $@ || echo '$(PAGE)' >$@

.PHONY: check-web
check-web: ## the pages, used in Chromium; some 40 seconds
	@./setup check-web
	@$(MAKE) --no-print-directory web-files
	@node --test --test-reporter=dot tests/web/station.test.mjs
	@$(PYTHON) -m pytest -q tests/web/test_page.py
	@./vm run -- $(PYTHON) -m pytest -q tests/web/test_guest.py
	@./vm run --qemu '-netdev user,id=n1 -device ne2k_pci,netdev=n1' -- $(PYTHON) -m pytest -q tests/web/test_cards.py

.PHONY: web-picture
web-picture: ## README's picture of the page, docs/page.png; others to look at in build/web-pictures
	@./setup check-web
	@$(MAKE) --no-print-directory web-files
	@$(PYTHON) tests/web/picture.py
