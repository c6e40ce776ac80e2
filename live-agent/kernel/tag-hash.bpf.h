/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The tag of an authenticated mark (wire/siphash.ts, wire/mark-tag.ts), for those who write it and those who check it.
 * For little-endian processors, whose words are SipHash's.
 */
#pragma once

#include <bpf/bpf_endian.h>

#define MOST_TAGGED_RECORDS 4
#define TAG_OCTETS 8
#define WINDOW_NANOSECONDS (64 * 1000000000ull)

#ifndef RECORD_OCTETS
#define RECORD_OCTETS 6
#endif

struct address {
	/* Network order; an IPv4 address as ::ffff:a.b.c.d. */
	__u32 words[4];
};

struct host_key {
	__u64 low, high;
	__u8 id;
	__u8 unused[7];
};

/* What the tag vouches for beside the records. */
struct connection {
	struct address local, remote;
	__u16 local_port, remote_port;
	int is_ipv4;
};

/* 77 octets at most, and room for the length in the last word's highest. */
#define MESSAGE_WORDS 10
struct message {
	__u64 words[MESSAGE_WORDS];
	__u32 length;
};

static __always_inline __u64 rotate(__u64 value, int bits)
{
	return value << bits | value >> (64 - bits);
}

static __always_inline void sip_round(__u64 *v0, __u64 *v1, __u64 *v2, __u64 *v3)
{
	*v0 += *v1;
	*v1 = rotate(*v1, 13) ^ *v0;
	*v0 = rotate(*v0, 32);
	*v2 += *v3;
	*v3 = rotate(*v3, 16) ^ *v2;
	*v0 += *v3;
	*v3 = rotate(*v3, 21) ^ *v0;
	*v2 += *v1;
	*v1 = rotate(*v1, 17) ^ *v2;
	*v2 = rotate(*v2, 32);
}

/* SipHash-2-4; wire/siphash.ts. */
static __noinline __u64 sip_hash(const struct message *message, const struct host_key *key)
{
	__u64 v0 = key->low ^ 0x736f6d6570736575ull, v1 = key->high ^ 0x646f72616e646f6dull;
	__u64 v2 = key->low ^ 0x6c7967656e657261ull, v3 = key->high ^ 0x7465646279746573ull;
	__u32 last = message->length / 8;

	for (__u32 place = 0; place < MESSAGE_WORDS; place++) {
		__u64 word = message->words[place];
		if (place == last)
			word |= (__u64)message->length << 56;
		v3 ^= word;
		sip_round(&v0, &v1, &v2, &v3);
		sip_round(&v0, &v1, &v2, &v3);
		v0 ^= word;
		if (place == last)
			break;
	}
	v2 ^= 0xff;
	for (int round = 0; round < 4; round++)
		sip_round(&v0, &v1, &v2, &v3);
	return v0 ^ v1 ^ v2 ^ v3;
}

/* "tattle-v2" 00 | shape | key id | window | version | source | destination | ports | records; wire/mark-tag.ts. */
static __always_inline void compose(struct message *message, const struct connection *connection,
				    const __u8 *records, __u32 count, __u8 shape, __u8 key_id, __u32 window)
{
	/* "tattle-v", then "2" and a zero: a constant string would be one more map. */
	const __u64 label = 0x762d656c74746174ull;
	__u8 *octets = (__u8 *)message->words;
	__u32 at = connection->is_ipv4 ? 25 : 49;

	__builtin_memset(message, 0, sizeof(*message));
	__builtin_memcpy(octets, &label, sizeof(label));
	octets[8] = '2';
	octets[10] = shape;
	octets[11] = key_id;
	window = bpf_htonl(window);
	__builtin_memcpy(octets + 12, &window, 4);
	octets[16] = connection->is_ipv4 ? 4 : 6;
	if (connection->is_ipv4) {
		__builtin_memcpy(octets + 17, &connection->local.words[3], 4);
		__builtin_memcpy(octets + 21, &connection->remote.words[3], 4);
		__builtin_memcpy(octets + 25, &connection->local_port, 2);
		__builtin_memcpy(octets + 27, &connection->remote_port, 2);
		__builtin_memcpy(octets + 29, records, RECORD_OCTETS * count);
	} else {
		__builtin_memcpy(octets + 17, connection->local.words, 16);
		__builtin_memcpy(octets + 33, connection->remote.words, 16);
		__builtin_memcpy(octets + 49, &connection->local_port, 2);
		__builtin_memcpy(octets + 51, &connection->remote_port, 2);
		__builtin_memcpy(octets + 53, records, RECORD_OCTETS * count);
	}
	message->length = at + 4 + RECORD_OCTETS * count;
}
