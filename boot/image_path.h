/* SPDX-License-Identifier: BSD-2-Clause */
/* Removes the image's path from the start of a Multiboot command line. */
#ifndef IMAGE_PATH_H
#define IMAGE_PATH_H

/*
 * Returns the command line behind the image's path. QEMU, GRUB Legacy and Syslinux put the path in
 * front; GRUB 2 does not, so its command lines need not be passed here. No loader tells where a
 * path with blanks ends, so this is guessed:
 *
 * - The path ends with the first word that ends in ".elf", as no argument does.
 * - Otherwise, with the last word that contains a slash, before the first NAME=VALUE that
 *   is a boot argument.
 * - Otherwise, it is the first word, unless that is a boot argument or contains a "=".
 *
 * An address such as 10.0.0.2/24 is never part of the path.
 */
const char *image_path_skip(const char *command_line);

#endif
