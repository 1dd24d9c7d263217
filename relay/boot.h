/* SPDX-License-Identifier: MIT */
/* boot.h - which life of the machine this is. */
#ifndef RELAY_BOOT_H
#define RELAY_BOOT_H

#include <stddef.h>

/* BOOT_ID of this machine now. */
void relay_boot_id(char *id, size_t size);

#endif
