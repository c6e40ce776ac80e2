// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Marks what leaves this host without a TCP socket: resets of closed ports, answers of connections that have ended, raw
 * packets. At the egress of an interface (tc), and only what this host made itself. What has a socket is marked there
 * (mark-sockets.bpf.c), and GSO packets always have one.
 *
 * The option is put in front of the others: behind an end-of-list nobody would read it. The rest of the packet moves
 * towards the tail, because bpf_skb_adjust_room would move the TCP header away from where its checksum is expected.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "mark-tag.bpf.h"

#define SOCK_STREAM 1
#define FIXED_HEADER 20
#define LONGEST_HEADER 60
#define OPTION_SPACE 40
#define MOST_OPTIONS 20
/* Of options and payload; a packet without a socket is hardly ever longer. */
#define LONGEST_REST 2048

/* Octets of a packet on their way; egress runs with interrupts' bottom halves off, so one a processor is enough. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8[LONGEST_REST]);
} tattle_moving SEC(".maps");

struct place {
	/* Offsets in the frame. */
	__u32 network, tcp, end;
	__u32 header_length;
	int is_ipv4;
};

/* What is put into the header: up to three no-operations, so that it ends at a multiple of 4, and the option. */
struct block {
	__u8 octets[48];
	/* Where the first octet is that is sent: 3 if the option has such a length by itself. */
	__u32 start;
	__u32 length;
};

/* Its mark was written, or there was no room for one, or it is none of this marker's cgroup. */
static __always_inline int has_tcp_socket(struct __sk_buff *skb)
{
	struct bpf_sock *socket = skb->sk;

	/* Requests are no full sockets; the kernel's own that sends resets is a raw one. */
	socket = socket ? bpf_sk_fullsock(socket) : 0;
	return socket && socket->type == SOCK_STREAM;
}

static __always_inline int find_network(struct __sk_buff *skb, struct place *place)
{
	__u64 behind, network;

	if (bpf_skb_load_bytes_relative(skb, 0, &network, sizeof(network), BPF_HDR_START_NET))
		return -1;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &behind, sizeof(behind)))
		return -1;
	place->network = behind == network ? ETH_HLEN : 0;
	if (bpf_skb_load_bytes(skb, place->network, &behind, sizeof(behind)))
		return -1;
	return behind == network ? 0 : -1;
}

/* Finds the TCP header; IPv6 extension headers are not looked behind, the kernel sends none with a reset. */
static __always_inline int find_tcp(struct __sk_buff *skb, struct place *place)
{
	__u8 header[40], offset;

	if (find_network(skb, place) || bpf_skb_load_bytes(skb, place->network, header, FIXED_HEADER))
		return -1;
	place->is_ipv4 = header[0] >> 4 == 4;
	if (place->is_ipv4) {
		if (header[9] != IPPROTO_TCP || ((header[6] & 0x3f) | header[7]))
			return -1;
		place->tcp = place->network + (header[0] & 15) * 4;
		place->end = place->network + (header[2] << 8 | header[3]);
	} else {
		if (header[0] >> 4 != 6 || header[6] != IPPROTO_TCP)
			return -1;
		place->tcp = place->network + 40;
		place->end = place->tcp + (header[4] << 8 | header[5]);
	}
	if (place->end != skb->len || bpf_skb_load_bytes(skb, place->tcp + 12, &offset, 1))
		return -1;
	place->header_length = (offset >> 4) * 4;
	return place->header_length < FIXED_HEADER || place->tcp + place->header_length > place->end ? -1 : 0;
}

/* Whether an option of the mark's kind is there, ours or somebody else's: two of a kind would be ambiguous. */
static __always_inline int has_option(struct __sk_buff *skb, const struct place *place, __u8 kind)
{
	__u32 at = FIXED_HEADER;
	__u8 option[2];

	for (int passed = 0; passed < MOST_OPTIONS && at + 1 < place->header_length; passed++) {
		if (bpf_skb_load_bytes(skb, place->tcp + at, option, sizeof(option)))
			return 1;
		if (option[0] == kind)
			return 1;
		if (option[0] == 0 || (option[0] != 1 && option[1] < 2))
			return 0;
		at += option[0] == 1 ? 1 : option[1];
	}
	return 0;
}

/* The octets of the option with `count` records, which begin at the third of `option` if there is no ExID. */
static __always_inline void fill_block(struct block *block, const struct mark *mark, struct option *option,
				       __u32 count)
{
	__u32 length = (mark->has_exid ? 5 : 3) + RECORD_OCTETS * count;

	write_header(mark, option, count);
	block->length = (length + 3) & ~3u;
	block->start = 3 - (block->length - length);
	if (mark->has_exid)
		__builtin_memcpy(block->octets + 3, option->octets, OPTION_OCTETS);
	else
		__builtin_memcpy(block->octets + 3, option->octets + 2, OPTION_OCTETS - 2);
}

static __always_inline int read_connection(struct __sk_buff *skb, const struct place *place,
					   struct connection *connection)
{
	__u16 ports[2];

	__builtin_memset(connection, 0, sizeof(*connection));
	connection->is_ipv4 = place->is_ipv4;
	if (place->is_ipv4) {
		connection->local.words[2] = connection->remote.words[2] = bpf_htonl(0xffff);
		if (bpf_skb_load_bytes(skb, place->network + 12, &connection->local.words[3], 4) ||
		    bpf_skb_load_bytes(skb, place->network + 16, &connection->remote.words[3], 4))
			return -1;
	} else if (bpf_skb_load_bytes(skb, place->network + 8, connection->local.words, 16) ||
		   bpf_skb_load_bytes(skb, place->network + 24, connection->remote.words, 16)) {
		return -1;
	}
	if (bpf_skb_load_bytes(skb, place->tcp, ports, sizeof(ports)))
		return -1;
	connection->local_port = ports[0];
	connection->remote_port = ports[1];
	return 0;
}

/* Whether an option of this length fits into the header, and the packet then into the MTU. */
static __always_inline int fits(struct __sk_buff *skb, const struct place *place, __u32 length)
{
	__u32 padded = (length + 3) & ~3u, mtu = 0;

	return place->header_length + padded <= LONGEST_HEADER && !bpf_check_mtu(skb, 0, &mtu, padded, 0);
}

/* Whether the option with this many records and a tag fits; `count` is a constant. */
static __always_inline int try_tagged(struct __sk_buff *skb, const struct place *place, const struct mark *mark,
				      const struct connection *connection, const struct option *records,
				      __u32 live, __u64 now, struct block *block, __u32 count)
{
	const __u32 length = 6 + RECORD_OCTETS * count + TAG_OCTETS;
	const struct host_key *key = bpf_map_lookup_elem(&tattle_keys, &connection->local);
	struct tagged_option option = {};

	if (!key || count > live || !fits(skb, place, length))
		return 0;
	write_tagged(&option, mark, key, connection, records, count, live, now);
	__builtin_memcpy(block->octets + 3, option.octets, TAGGED_OCTETS);
	block->length = (length + 3) & ~3u;
	block->start = 3 - (block->length - length);
	return 1;
}

/* With a tag, if this host has a key for the packet's address; says how many records there are. */
static __always_inline __u32 choose_tagged(struct __sk_buff *skb, const struct place *place,
					   const struct mark *mark, const struct option *records, __u32 live,
					   __u64 now, struct block *block)
{
	struct connection connection;

	if (read_connection(skb, place, &connection))
		return 0;
	if (try_tagged(skb, place, mark, &connection, records, live, now, block, 4))
		return 4;
	if (try_tagged(skb, place, mark, &connection, records, live, now, block, 3))
		return 3;
	if (try_tagged(skb, place, mark, &connection, records, live, now, block, 2))
		return 2;
	return try_tagged(skb, place, mark, &connection, records, live, now, block, 1);
}

static __always_inline __u32 choose_plain(struct __sk_buff *skb, const struct place *place, const struct mark *mark,
					  struct option *option, __u32 live, struct block *block)
{
	__u32 header = mark->has_exid ? 5 : 3;

	for (__u32 count = MOST_RECORDS; count > 0; count--) {
		if (count > live || !fits(skb, place, header + RECORD_OCTETS * count))
			continue;
		fill_block(block, mark, option, count);
		return count;
	}
	return 0;
}

/* As many records as fit into the header, and the packet then into the MTU; 0 if none. */
static __always_inline __u32 choose_block(struct __sk_buff *skb, const struct place *place, const struct mark *mark,
					  struct block *block)
{
	struct option option = {};
	__u64 now = bpf_ktime_get_boot_ns();
	__u32 live = gather_live(mark, now, &option);

	if (!live)
		return 0;
	block->octets[0] = block->octets[1] = block->octets[2] = 1;
	__u32 sent = choose_tagged(skb, place, mark, &option, live, now, block);
	if (!sent)
		sent = choose_plain(skb, place, mark, &option, live, block);
	count_packet(sent == live ? COUNT_WHOLE : sent ? COUNT_SHORTENED : COUNT_NO_ROOM);
	return sent;
}

/* The first octet that is sent. The compiler would or, not add, which the verifier allows of no pointer. */
static __always_inline __u8 *first_octet(struct block *block)
{
	__u64 start = block->start;
	__u8 *first = block->octets;

	asm volatile("%1 &= 3\n%0 += %1" : "+r"(first), "+r"(start));
	return first;
}

/* Moves what is behind the fixed header towards the tail, and puts the block between. */
static __always_inline int insert(struct __sk_buff *skb, const struct place *place, struct block *block)
{
	__u32 rest = place->end - place->tcp - FIXED_HEADER, length = block->length, key = 0;
	__u8 *moving = bpf_map_lookup_elem(&tattle_moving, &key);

	if (!moving || rest >= LONGEST_REST)
		return -1;
	if (rest) {
		/* The verifier forgets the bounds above; these instructions state them again. */
		asm volatile("%0 += -1\n%0 &= 2047\n%0 += 1" : "+r"(rest));
		if (bpf_skb_load_bytes(skb, place->tcp + FIXED_HEADER, moving, rest))
			return -1;
	}
	if (bpf_skb_change_tail(skb, place->end + length, 0))
		return -1;
	asm volatile("%0 += -1\n%0 &= 63\n%0 += 1" : "+r"(length));
	if (length > OPTION_SPACE ||
	    bpf_skb_store_bytes(skb, place->tcp + FIXED_HEADER, first_octet(block), length, 0))
		return TC_ACT_SHOT;
	if (rest && bpf_skb_store_bytes(skb, place->tcp + FIXED_HEADER + length, moving, rest, 0))
		return TC_ACT_SHOT;
	return 0;
}

/* Lengths and checksums; a checksum that is still to be computed holds the pseudo header alone, which knows a length. */
static __always_inline int adjust(struct __sk_buff *skb, const struct place *place, struct block *block)
{
	__u32 checksum = place->tcp + 16, segment = place->end - place->tcp;
	__u16 before, after, packet = place->end - place->network;

	if (bpf_skb_load_bytes(skb, place->tcp + 12, &before, sizeof(before)))
		return -1;
	/* The data offset is in the upper four bits of the first octet, in words of four octets. */
	after = before + bpf_htons((block->length / 4) << 12);
	__u32 length = block->length & 63;
	if (length > OPTION_SPACE)
		return -1;
	__s64 sum = bpf_csum_diff(0, 0, (void *)first_octet(block), length, 0);
	if (bpf_skb_store_bytes(skb, place->tcp + 12, &after, sizeof(after), 0) ||
	    bpf_l4_csum_replace(skb, checksum, 0, sum, 0) ||
	    bpf_l4_csum_replace(skb, checksum, before, after, sizeof(after)) ||
	    bpf_l4_csum_replace(skb, checksum, bpf_htons(segment), bpf_htons(segment + block->length),
				sizeof(after) | BPF_F_PSEUDO_HDR))
		return -1;
	if (place->is_ipv4) {
		after = bpf_htons(packet + block->length);
		return bpf_l3_csum_replace(skb, place->network + 10, bpf_htons(packet), after, sizeof(after)) ||
		       bpf_skb_store_bytes(skb, place->network + 2, &after, sizeof(after), 0);
	}
	after = bpf_htons(packet - 40 + block->length);
	return bpf_skb_store_bytes(skb, place->network + 4, &after, sizeof(after), 0);
}

SEC("tc")
int tattle_gaps(struct __sk_buff *skb)
{
	struct block block = {};
	struct place place = {};
	__u32 key = 0;
	const struct mark *mark = bpf_map_lookup_elem(&tattle_marks, &key);

	/* What came in by an interface is another host's: marking it would accuse that one. */
	if (!mark || skb->ingress_ifindex || skb->gso_size || has_tcp_socket(skb))
		return TC_ACT_UNSPEC;
	if (find_tcp(skb, &place) || has_option(skb, &place, mark->kind))
		return TC_ACT_UNSPEC;
	if (!choose_block(skb, &place, mark, &block))
		return TC_ACT_UNSPEC;
	int failed = insert(skb, &place, &block);
	if (failed < 0)
		return TC_ACT_UNSPEC;
	/* Half changed, it is nothing that should leave. */
	return failed || adjust(skb, &place, &block) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "Dual MIT/GPL";
