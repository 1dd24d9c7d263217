/* SPDX-License-Identifier: MIT */
/*
 * cut_wire.h - stands before a server on loopback and cuts the connection at a chosen message of
 * the client's. One for a process.
 */
#ifndef SLUICE_CONFORM_CUT_WIRE_H
#define SLUICE_CONFORM_CUT_WIRE_H

enum cut_wire_way {
	CUT_WIRE_BEFORE, /* the message does not reach the server */
	CUT_WIRE_BEHIND, /* it does, and the answer is lost */
	CUT_WIRE_SILENT, /* it does not, and nothing more is said, until the client goes */
	CUT_WIRE_WAYS
};

/* Listens before the server at that port; the port of its own, or exits. */
unsigned int cut_wire_start(unsigned int port);

/* From now on message number at, from 1, of all connections is the one; 0: none. How many there
 * have been since the last time. */
unsigned int cut_wire_at(enum cut_wire_way way, unsigned int at);

/* Every connection that is there is cut now. */
void cut_wire_all(void);

#endif
