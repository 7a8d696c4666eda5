#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the initramfs of the Linux peer: make_initramfs.py KERNEL OUTPUT [PROGRAM ...]

KERNEL: folder of an unpacked Debian kernel package. OUTPUT: a cpio archive ("newc", which the
kernel's Documentation/driver-api/early-userspace/buffer-format.rst describes) with each PROGRAM in
its root, the modules of the network cards in /modules, named in the order to load them in, and
/dev/console. No root is needed, and the same input gives the same bytes.
"""

import lzma
import pathlib
import re
import stat
import sys

# The modules of QEMU's network cards on i386. Their dependencies are added.
MODULES = ("virtio_pci", "virtio_net", "e1000", "e1000e", "e100", "ne2k-pci", "8139cp", "pcnet32",
           "vmxnet3")


def die(text):
    sys.exit(f"make_initramfs: {text}")


def module_name(path):
    """A module's name: files may have either of - and _."""
    return pathlib.Path(path).name.partition(".ko")[0].replace("-", "_")


def module_bytes(path):
    raw = path.read_bytes()
    return lzma.decompress(raw) if path.suffix == ".xz" else raw


def dependencies(content):
    """The names of the modules that this one uses, from its section .modinfo."""
    field = re.search(rb"\bdepends=([^\0]*)\0", content)
    names = field[1].decode().split(",") if field else []
    return [module_name(name) for name in names if name]


def load_order(kernel):
    """(name, content) of all modules needed, each after those that it depends on."""
    files = {module_name(path): path for pattern in ("*.ko", "*.ko.xz")
             for path in kernel.glob(f"lib/modules/*/kernel/**/{pattern}")}
    builtin = {module_name(line) for path in kernel.glob("lib/modules/*/modules.builtin")
               for line in path.read_text().split()}
    order = {}

    def add(name):
        if name in order or name in builtin:
            return
        if name not in files:
            die(f"{kernel} has no module {name}")
        content = module_bytes(files[name])
        for other in dependencies(content):
            add(other)
        order[name] = content

    for name in MODULES:
        add(module_name(name))
    return list(order.items())


def entry(name, mode, content=b"", device=(0, 0)):
    """One member; the fields after the magic: inode, mode, uid, gid, links, time, size, device's
    and special file's numbers, name's length with its zero, and no checksum."""
    fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name) + 1, 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return header + bytes(-len(header) % 4) + content + bytes(-len(content) % 4)


def main():
    if len(sys.argv) < 3:
        die("usage: make_initramfs.py KERNEL OUTPUT [PROGRAM ...]")
    kernel, output, *programs = map(pathlib.Path, sys.argv[1:])
    folder, program, file = stat.S_IFDIR | 0o755, stat.S_IFREG | 0o755, stat.S_IFREG | 0o644
    members = [entry(name, folder) for name in ("dev", "modules", "proc", "sys")]
    members.append(entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)))
    members += [entry(path.name, program, path.read_bytes()) for path in programs]
    members += [entry(f"modules/{number:02}-{name}.ko", file, content)
                for number, (name, content) in enumerate(load_order(kernel))]
    output.write_bytes(b"".join(members) + entry("TRAILER!!!", 0))


if __name__ == "__main__":
    try:
        main()
    except (OSError, lzma.LZMAError) as error:
        die(error)
