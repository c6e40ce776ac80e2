/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Authenticated marks (wire/authenticated-format.ts): this host's keys, and the option that it sends.
 */
#pragma once

#include "mark.bpf.h"
#include "tag-hash.bpf.h"

#define TAGGED_OCTETS 38

/* What was derived for this host's addresses; where there is none, marks have no tag. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct address);
	__type(value, struct host_key);
} tattle_keys SEC(".maps");

struct tagged_option {
	__u8 octets[TAGGED_OCTETS];
};

/* The whole option with the first `count` of `live` gathered records; `count` is a constant. */
static __always_inline void write_tagged(struct tagged_option *option, const struct mark *mark,
					 const struct host_key *key, const struct connection *connection,
					 const struct option *records, __u32 count, __u32 live, __u64 now)
{
	struct message message;
	__u32 window = (mark->booted_at + now) / WINDOW_NANOSECONDS;
	__u8 shape = 0x40 | (live > count ? 0x20 : 0) | count << 2;
	__u8 *octets = option->octets;

	octets[0] = mark->kind;
	octets[1] = 6 + RECORD_OCTETS * count + TAG_OCTETS;
	octets[2] = mark->authenticated_exid[0];
	octets[3] = mark->authenticated_exid[1];
	octets[4] = shape;
	octets[5] = key->id << 4 | (window & 15);
	__builtin_memcpy(octets + 6, records->octets + 5, RECORD_OCTETS * count);
	compose(&message, connection, records->octets + 5, count, shape, key->id, window);
	__u64 tag = sip_hash(&message, key);
	__builtin_memcpy(octets + 6 + RECORD_OCTETS * count, &tag, TAG_OCTETS);
}
