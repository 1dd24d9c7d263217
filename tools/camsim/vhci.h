/* SPDX-License-Identifier: MIT */
/*
 * Plugging into vhci_hcd, the kernel's virtual USB host controller.
 */
#ifndef SLUICE_CAMSIM_VHCI_H
#define SLUICE_CAMSIM_VHCI_H

#include <stdbool.h>
#include <stddef.h>

#define VHCI_DIR "/sys/devices/platform/vhci_hcd.0"

/* The first free port in the text of the controller's status file; -ENOSPC when there is none. */
int vhci_find_port(const char *status, bool super);

/*
 * Plugs a device in. 0, the connection's socket in @fd and the port in @port; or -errno and in @why
 * what to do: -ENODEV (no controller), -EACCES/-EPERM (not root), -ENOSPC (no free port).
 * Unplug by closing the socket.
 */
int vhci_attach(const char *dir, bool super, int *fd, int *port, char *why, size_t why_size);

#endif
