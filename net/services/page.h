/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's page for browsers, compressed by gzip: web/guest.html with all that it names. */
#ifndef PAGE_H
#define PAGE_H

#include <stdint.h>

extern const char stats_page[];
extern const uint32_t stats_page_size; /* bytes; 0 where the build left the page out */

#endif
