/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds a segment's connection in constant time, where lwIP goes through the list of all.
 *
 * A table has the connections that a segment was received for. While lwIP looks for one of them, its
 * list begins with this one, and the true beginning is put back before lwIP does anything else. So
 * the list keeps its order. A connection that the table has no room for is found by lwIP as ever.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

struct tcp_pcb;

/* Takes the memory for the table; without it, lwIP goes through its list. Call it once. */
void lookup_init(void);

/* Tells that the current segment is for this connection, which the table has from now on. */
void lookup_found(struct tcp_pcb *pcb);

/* Tells that lwIP has abandoned the current segment. */
void lookup_end(void);

/* Removes a connection that lwIP will not free. */
void lookup_forget(struct tcp_pcb *pcb);

#endif
