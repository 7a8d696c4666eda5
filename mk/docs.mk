# SPDX-License-Identifier: BSD-2-Clause
# Documentation, and the tests of it.

.PHONY: docs
docs: ## the public headers and the documents as HTML: build/docs/html/index.html
	@./setup docs
	@mkdir -p $(B)/docs
	@VTNET_VERSION='$(VERSION)' VTNET_DOCS=$(B)/docs doxygen
	@echo 'docs: $(B)/docs/html/index.html'

.PHONY: check-docs check-documents
check-docs: all ## what the documents say: their commands, links, names
	@$(MAKE) --no-print-directory check-documents

check-documents: # where all is built: it needs nothing, so that it starts first beside the system tests
	@./vm netns -- $(PYTHON) -m pytest -q -rs tests/docs

.PHONY: check-conformance
check-docs: check-conformance
check-conformance: ## that the code and the tests named in docs/conformance.md are there, and its counts
	@$(PYTHON) tests/docs/conformance.py
