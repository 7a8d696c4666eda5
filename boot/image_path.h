/* SPDX-License-Identifier: BSD-2-Clause */
/* The image's path at the beginning of a Multiboot command line. */
#ifndef IMAGE_PATH_H
#define IMAGE_PATH_H

/*
 * Returns the command line behind the path. Some loaders put it there (QEMU, GRUB Legacy, Syslinux),
 * GRUB 2 does not (its lines need not come here), and none says where it ends if there are blanks in it:
 *
 * - It ends with the first word that ends in ".elf", as no argument does.
 * - Without one, it ends with the last word that has a slash in it, before the first NAME=VALUE with the
 *   name of a boot argument.
 * - Without that, it is the first word, unless that is a boot argument or has a "=" in it.
 *
 * An address such as 10.0.0.2/24 is never a part of it.
 */
const char *image_path_skip(const char *command_line);

#endif
