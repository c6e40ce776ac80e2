// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Checks the tags of authenticated marks as packets arrive (tc ingress), before any rule sees them, and writes what it
 * found into two bits of the packet mark that rules of the live agent read (live-agent/enforcement/packet-place.ts).
 * It changes no packet and drops none. Where it is missing, the bits are zero: nobody looked.
 *
 * Like the rules it looks at TCP directly in the outermost IP header, behind at most five IPv6 extension headers. Of a
 * mark of another version there is nothing to say; the rules ask for these bits only where they have found an
 * authenticated mark, which is then the first one here, too.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "tag-hash.bpf.h"

#define FIXED_HEADER 20
#define HEADER_OCTETS 6
/* An authenticated mark takes 20 octets of 40, so at most so many options are before it. */
#define MOST_OPTIONS 21
#define MOST_EXTENSION_HEADERS 5
#define MOST_EXTENSION_OCTETS 120
#define WINDOW_TOLERANCE 2

/* RFC 8200 section 4. */
#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define DESTINATION_OPTIONS 60

/* packet-place.ts, tagFindings. */
enum { UNCHECKED, VERIFIED, INVALID, NO_KEY };

/* live-agent/enforcement/tag-settings.ts writes both maps. */
struct settings {
	/* When the machine was booted, nanoseconds since 1970: the time of day is not to be had here. */
	__u64 booted_at;
	/* Lowest of the two bits. */
	__u32 shift;
	/* Two kinds, or one twice. */
	__u8 kinds[2];
	__u8 exid[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	/* Sizes in place of types, which bpftool would ask the kernel for: that takes CAP_SYS_ADMIN, and the agent has less. */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct settings));
} tag_settings SEC(".maps");

/* The readers' keys, by their ids; `id` is the id plus 1, 0 where there is none. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct host_key));
} tag_keys SEC(".maps");

/* Offsets are from the IP header, wherever the frame has it. */
struct packet {
	struct connection connection;
	__u32 tcp;
};

struct tagged {
	__u8 header[HEADER_OCTETS];
	__u8 records[RECORD_OCTETS * MOST_TAGGED_RECORDS];
	__u64 tag;
	__u32 count;
};

static __always_inline long load(struct __sk_buff *skb, __u32 at, void *to, __u32 octets)
{
	return bpf_skb_load_bytes_relative(skb, at, to, octets, BPF_HDR_START_NET);
}

static __always_inline int find_behind_extensions(struct __sk_buff *skb, __u32 *tcp, __u8 next)
{
	__u8 header[4];
	__u32 at = 40;

	for (int passed = 0; passed < MOST_EXTENSION_HEADERS && next != IPPROTO_TCP; passed++) {
		if (next != HOP_BY_HOP && next != ROUTING && next != FRAGMENT && next != DESTINATION_OPTIONS)
			return -1;
		if (load(skb, at, header, sizeof(header)))
			return -1;
		/* A later fragment; and the octet that is a length elsewhere is zero in this header (RFC 8200 section 4.5). */
		if (next == FRAGMENT && (header[2] || header[3] > 7 || header[1]))
			return -1;
		next = header[0];
		at += (header[1] + 1) * 8;
	}
	if (next != IPPROTO_TCP || at > 40 + MOST_EXTENSION_OCTETS)
		return -1;
	*tcp = at;
	return 0;
}

static __always_inline int find_tcp(struct __sk_buff *skb, struct packet *packet)
{
	struct connection *connection = &packet->connection;
	__u8 header[FIXED_HEADER];

	if (load(skb, 0, header, sizeof(header)))
		return -1;
	connection->is_ipv4 = header[0] >> 4 == 4;
	if (connection->is_ipv4) {
		/* A later fragment has no TCP header. */
		if (header[9] != IPPROTO_TCP || (header[6] & 0x1f) || header[7])
			return -1;
		packet->tcp = (header[0] & 15) * 4;
		__builtin_memcpy(&connection->local.words[3], header + 12, 4);
		__builtin_memcpy(&connection->remote.words[3], header + 16, 4);
	} else {
		if (header[0] >> 4 != 6 || find_behind_extensions(skb, &packet->tcp, header[6]))
			return -1;
		if (load(skb, 8, connection->local.words, 16) || load(skb, 24, connection->remote.words, 16))
			return -1;
	}
	__u16 ports[2];
	if (load(skb, packet->tcp, ports, sizeof(ports)))
		return -1;
	connection->local_port = ports[0];
	connection->remote_port = ports[1];
	return 0;
}

/* The option at `at` if it is an authenticated mark with records, whole within the header. */
static __always_inline int read_tagged(struct __sk_buff *skb, __u32 at, __u8 length, const struct settings *settings,
				       struct tagged *tagged)
{
	if (load(skb, at, tagged->header, HEADER_OCTETS))
		return -1;
	if (tagged->header[2] != settings->exid[0] || tagged->header[3] != settings->exid[1])
		return -1;
	/* Version 1, the count, and nothing else but whether there are more. */
	__u32 count = (tagged->header[4] >> 2) & 7;
	if ((tagged->header[4] & ~0x20) != (0x40 | count << 2) || count < 1 || count > MOST_TAGGED_RECORDS ||
	    length != HEADER_OCTETS + TAG_OCTETS + RECORD_OCTETS * count)
		return -1;
#pragma unroll
	for (__u32 record = 0; record < MOST_TAGGED_RECORDS; record++) {
		if (record < count && load(skb, at + HEADER_OCTETS + RECORD_OCTETS * record,
					   tagged->records + RECORD_OCTETS * record, RECORD_OCTETS))
			return -1;
	}
	tagged->count = count;
	return load(skb, at + HEADER_OCTETS + RECORD_OCTETS * count, &tagged->tag, TAG_OCTETS) ? -1 : 0;
}

static __always_inline int find_tagged(struct __sk_buff *skb, const struct packet *packet,
				       const struct settings *settings, struct tagged *tagged)
{
	__u32 at = FIXED_HEADER, header_length;
	__u8 option[2];

	if (load(skb, packet->tcp + 12, option, 1))
		return -1;
	header_length = (option[0] >> 4) * 4;
	for (int passed = 0; passed < MOST_OPTIONS && at + 1 < header_length; passed++) {
		if (load(skb, packet->tcp + at, option, sizeof(option)))
			return -1;
		if (option[0] == 1) {
			at++;
			continue;
		}
		if (option[0] == 0 || option[1] < 2)
			return -1;
		if ((option[0] == settings->kinds[0] || option[0] == settings->kinds[1]) &&
		    at + option[1] <= header_length &&
		    !read_tagged(skb, packet->tcp + at, option[1], settings, tagged))
			return 0;
		at += option[1];
	}
	return -1;
}

/* "tattle-v2-host" half | version | address; wire/mark-tag.ts. */
static __always_inline __u64 derive_half(const struct host_key *key, const struct connection *connection, __u8 half)
{
	/* "tattle-v", then "2-host". */
	const __u64 label = 0x762d656c74746174ull, rest = 0x74736f682d32ull;
	struct message message;
	__u8 *octets = (__u8 *)message.words;

	__builtin_memset(&message, 0, sizeof(message));
	__builtin_memcpy(octets, &label, sizeof(label));
	__builtin_memcpy(octets + 8, &rest, 6);
	octets[14] = half;
	octets[15] = connection->is_ipv4 ? 4 : 6;
	if (connection->is_ipv4)
		__builtin_memcpy(octets + 16, &connection->local.words[3], 4);
	else
		__builtin_memcpy(octets + 16, connection->local.words, 16);
	message.length = connection->is_ipv4 ? 20 : 32;
	return sip_hash(&message, key);
}

static __always_inline int check(const struct connection *connection, const struct settings *settings,
				 const struct tagged *tagged)
{
	__u32 id = tagged->header[5] >> 4;
	const struct host_key *key = bpf_map_lookup_elem(&tag_keys, &id);
	struct host_key host_key = {};
	struct message message;

	if (!key || !key->id)
		return NO_KEY;
	__u32 current = (settings->booted_at + bpf_ktime_get_boot_ns()) / WINDOW_NANOSECONDS;
	/* How far the window of these four bits is ahead of now, modulo 16. */
	__u32 ahead = (tagged->header[5] - current) & 15;
	if (ahead > WINDOW_TOLERANCE && ahead < 16 - WINDOW_TOLERANCE)
		return INVALID;
	__u32 window = ahead > WINDOW_TOLERANCE ? current + ahead - 16 : current + ahead;
	host_key.low = derive_half(key, connection, 0);
	host_key.high = derive_half(key, connection, 1);
	compose(&message, connection, tagged->records, MOST_TAGGED_RECORDS, tagged->header[4], id, window);
	/* Behind the records it wrote zeros, as SipHash has them there. */
	message.length -= RECORD_OCTETS * (MOST_TAGGED_RECORDS - tagged->count);
	return sip_hash(&message, &host_key) == tagged->tag ? VERIFIED : INVALID;
}

static __always_inline int look(struct __sk_buff *skb, const struct settings *settings)
{
	struct packet packet = {};
	struct tagged tagged = {};

	if (find_tcp(skb, &packet) || find_tagged(skb, &packet, settings, &tagged))
		return UNCHECKED;
	return check(&packet.connection, settings, &tagged);
}

SEC("tc")
int tattle_check_tags(struct __sk_buff *skb)
{
	__u32 key = 0;
	const struct settings *settings = bpf_map_lookup_elem(&tag_settings, &key);

	if (!settings || !settings->booted_at)
		return TC_ACT_UNSPEC;
	__u32 shift = settings->shift & 31;
	/* What a packet brought along says nothing here. */
	skb->mark = (skb->mark & ~(3u << shift)) | (__u32)look(skb, settings) << shift;
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "Dual MIT/GPL";
