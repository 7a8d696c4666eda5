# SPDX-License-Identifier: BSD-2-Clause
# Images that a PC's BIOS boots through GRUB: a CD and a disk with the demonstration. APPEND= sets
# its boot arguments.
IMAGE_FILES := $(B)/images/files
IMAGE_NETWORK := -nic user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:10080-:80
IMAGE_HINT := then: http://127.0.0.1:10080/ shows its page, Enter its prompt, Ctrl-A X ends it
GRUB_MODULES := biosdisk iso9660 normal multiboot serial terminal

.PHONY: iso disk
iso: ## a CD from which a PC with a BIOS boots the demo: build/vtnet.iso; APPEND= boot arguments
	@./setup images
	@$(MAKE) --no-print-directory image-iso
	@echo 'boots by: qemu-system-i386 -cdrom $(B)/vtnet.iso $(IMAGE_NETWORK) -nographic'
	@echo '$(IMAGE_HINT)'

disk: ## a disk for the same: build/vtnet.img
	@./setup images
	@$(MAKE) --no-print-directory image-disk
	@echo 'boots by: qemu-system-i386 -drive file=$(B)/vtnet.img,format=raw $(IMAGE_NETWORK) -nographic'
	@echo '$(IMAGE_HINT)'

# Always made again, as APPEND= may differ.
.PHONY: image-files image-iso image-disk
image-files: $(B)/i386/vtnet-demo.elf
	@rm -rf $(IMAGE_FILES) && mkdir -p $(IMAGE_FILES)/boot/grub
	@$(CROSS_i386)strip -o $(IMAGE_FILES)/boot/vtnet-demo.elf $<
	@sed 's|@APPEND@|$(subst &,\&,$(subst |,\|,$(APPEND)))|' boot/grub/grub.cfg >$(IMAGE_FILES)/boot/grub/grub.cfg

image-iso: image-files
	$(call say,ISO,$(B)/vtnet.iso)
	@grub-mkrescue -d /usr/lib/grub/i386-pc --locales= --fonts= --themes= --install-modules='$(GRUB_MODULES)' \
		-o $(B)/vtnet.iso $(IMAGE_FILES) -- -volid VTNET >$(B)/images/iso.log 2>&1 || { cat $(B)/images/iso.log >&2; exit 1; }

image-disk: image-files
	$(call say,DISK,$(B)/vtnet.img)
	@$(PYTHON) boot/grub/make_disk.py $(IMAGE_FILES) $(B)/vtnet.img

.PHONY: check-hypervisors
check-hypervisors: ## GRUB's images in QEMU and Bochs, libvirt: what needs more than make check; some minutes
	@./setup hypervisors
	@$(MAKE) --no-print-directory -j$(JOBS) all-i386 image-iso image-disk
	@./vm netns -- $(PYTHON) -m pytest -q -rs --arch=i386 $(HYPERVISOR_TESTS:%=tests/system/test_%.py)
