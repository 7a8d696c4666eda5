#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes a disk that a PC's BIOS boots: GRUB in front of one FAT partition with the files of a folder.

No loop device and no root: the partition is filled by mtools, the rest is a few bytes."""

import argparse
import pathlib
import struct
import subprocess
import tempfile

SECTOR = 512
FIRST = 2048  # of the partition; GRUB lies before it
SECTORS = 16 * 2048  # of the disk, 16 MiB
GRUB = pathlib.Path("/usr/lib/grub/i386-pc")
MODULES = "biosdisk part_msdos fat normal multiboot serial terminal".split()
BOOT_CODE = 440  # bytes of the first sector; the disk's number and its partitions follow
FAT16, ACTIVE = 0x0e, 0x80  # FAT16 by logical block addresses
NUMBER = 0x76746e65  # of the disk


def tool(*command):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise SystemExit(f"make_disk.py: {' '.join(map(str, command))}: {done.stdout.strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("disk", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        core = pathlib.Path(work, "core.img")
        tool("grub-mkimage", "-O", "i386-pc", "-d", GRUB, "-p", "(hd0,msdos1)/boot/grub", "-o", core, *MODULES)
        grub = core.read_bytes()
    if len(grub) > (FIRST - 1) * SECTOR:
        raise SystemExit(f"make_disk.py: GRUB has {len(grub)} bytes, which do not fit before the partition")
    start = (GRUB / "boot.img").read_bytes()[:BOOT_CODE]
    # Addresses by cylinder, head and sector are those that mean "see the other ones".
    partition = struct.pack("<B3sB3sII", ACTIVE, b"\xfe\xff\xff", FAT16, b"\xfe\xff\xff", FIRST, SECTORS - FIRST)
    with options.disk.open("wb") as disk:
        disk.write(start + struct.pack("<IH", NUMBER, 0) + partition + bytes(48) + b"\x55\xaa" + grub)
        disk.truncate(SECTORS * SECTOR)
    at = f"{options.disk}@@{FIRST * SECTOR}"
    tool("mformat", "-i", at, "-v", "VTNET", "-N", f"{NUMBER:08x}", "-T", str(SECTORS - FIRST), "-h", "16",
         "-s", "63", "-H", str(FIRST), "::")
    tool("mcopy", "-i", at, "-s", "-m", *sorted(options.folder.iterdir()), "::/")


if __name__ == "__main__":
    main()
