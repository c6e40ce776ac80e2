// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Zeroes the TCP payload of packets that the rules of the live agent ordered to be altered, as they leave (tc egress).
 * The order is in the top ten bits of the packet mark (live-agent/enforcement/packet-place.ts). Sequence numbers,
 * length and options stay, so the connection stays up and nothing leaks. What cannot be zeroed is dropped.
 * On an end host packets leave for a moment, through an interface that leads back (alter-at-host.ts).
 *
 * The checksum of the new segment is that of pseudo header and TCP header alone: zeros add nothing to a one's
 * complement sum. Segments whose checksum is still to be computed (CHECKSUM_PARTIAL: GSO, local and virtual senders)
 * hold the sum of the pseudo header, which does not change; bpf_l4_csum_replace leaves those alone.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ORDER_MASK 0xffc00000u
#define ORDER_ALTER 0xffc00000u
/* Zeroed already, and on its way back to the end host. */
#define ORDER_ALTERED 0xff400000u

#define LONGEST_PAYLOAD 65536
#define LONGEST_TCP_HEADER 60
#define MOST_EXTENSION_HEADERS 5

/* RFC 8200 sections 4.3 and 4.6. */
#define HOP_BY_HOP 0
#define DESTINATION_OPTIONS 60

/* A packet's octets cannot be overwritten but with other octets: these. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8[LONGEST_PAYLOAD]);
} tattle_zeros SEC(".maps");

struct segment {
	/* Offset of the TCP header in the frame; 0 if there is none. */
	__u32 tcp;
	/* Sum of the pseudo header's addresses and protocol, in memory order. */
	__u64 sum;
};

static __always_inline __u32 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	__u32 folded = (__u32)sum;
	folded = (folded & 0xffff) + (folded >> 16);
	return (folded & 0xffff) + (folded >> 16);
}

/* Whether the IP header is behind an Ethernet header: tunnels without one would have other octets zeroed. */
static __always_inline int is_ethernet(struct __sk_buff *skb)
{
	__u64 behind[2], network[2];

	if (bpf_skb_load_bytes(skb, ETH_HLEN, behind, sizeof(behind)))
		return 0;
	if (bpf_skb_load_bytes_relative(skb, 0, network, sizeof(network), BPF_HDR_START_NET))
		return 0;
	return behind[0] == network[0] && behind[1] == network[1];
}

static __always_inline int find_in_ipv4(struct __sk_buff *skb, struct segment *segment)
{
	__u8 header[20];
	__u32 addresses[2];

	if (bpf_skb_load_bytes(skb, ETH_HLEN, header, sizeof(header)))
		return -1;
	if (bpf_skb_load_bytes(skb, ETH_HLEN + 12, addresses, sizeof(addresses)))
		return -1;
	/* A fragment holds a part of the segment: its checksum cannot be known here. */
	if (header[9] != IPPROTO_TCP || ((header[6] & 0x3f) | header[7]))
		return -1;
	segment->tcp = ETH_HLEN + (header[0] & 15) * 4;
	segment->sum = (__u64)addresses[0] + addresses[1] + bpf_htons(IPPROTO_TCP);
	return 0;
}

static __always_inline int find_in_ipv6(struct __sk_buff *skb, struct segment *segment)
{
	__u32 addresses[8];
	__u32 at = ETH_HLEN + 40;
	__u8 next, header[2];

	if (bpf_skb_load_bytes(skb, ETH_HLEN + 6, &next, 1))
		return -1;
	if (bpf_skb_load_bytes(skb, ETH_HLEN + 8, addresses, sizeof(addresses)))
		return -1;
	/*
	 * Hop-by-hop and destination options are passed; the rest is dropped: fragments as above, a routing header
	 * because the checksum is over the last address in it, authentication because it would not verify any more.
	 */
	for (int passed = 0; passed < MOST_EXTENSION_HEADERS && next != IPPROTO_TCP; passed++) {
		if (next != HOP_BY_HOP && next != DESTINATION_OPTIONS)
			return -1;
		if (bpf_skb_load_bytes(skb, at, header, sizeof(header)))
			return -1;
		next = header[0];
		at += (header[1] + 1) * 8;
	}
	if (next != IPPROTO_TCP)
		return -1;
	segment->tcp = at;
	segment->sum = bpf_htons(IPPROTO_TCP);
	for (int word = 0; word < 8; word++)
		segment->sum += addresses[word];
	return 0;
}

static __always_inline int zero(struct __sk_buff *skb, const struct segment *segment)
{
	__u8 header[LONGEST_TCP_HEADER + 4] = {};
	__u32 first = 0, end = skb->len, length, payload;
	__u8 offset;

	if (bpf_skb_load_bytes(skb, segment->tcp + 12, &offset, 1))
		return TC_ACT_SHOT;
	length = (offset >> 4) * 4;
	if (length < 20 || segment->tcp + length > end)
		return TC_ACT_SHOT;
	payload = end - segment->tcp - length;
	if (payload == 0)
		return TC_ACT_UNSPEC;
	if (payload > LONGEST_PAYLOAD)
		return TC_ACT_SHOT;

	__u8 *zeros = bpf_map_lookup_elem(&tattle_zeros, &first);
	if (!zeros)
		return TC_ACT_SHOT;
	/* The verifier forgets the bounds above; these instructions state them again without changing the value. */
	asm volatile("%0 += -1\n%0 &= 65535\n%0 += 1" : "+r"(payload));
	if (bpf_skb_store_bytes(skb, segment->tcp + length, zeros, payload, 0))
		return TC_ACT_SHOT;

	asm volatile("%0 += -1\n%0 &= 63\n%0 += 1" : "+r"(length));
	if (length > LONGEST_TCP_HEADER || bpf_skb_load_bytes(skb, segment->tcp, header, length))
		return TC_ACT_SHOT;
	__u16 old = *(__u16 *)(header + 16);
	*(__u16 *)(header + 16) = 0;
	__u64 sum = segment->sum + bpf_htonl(end - segment->tcp);
	for (int word = 0; word < (LONGEST_TCP_HEADER + 4) / 4; word++)
		sum += ((__u32 *)header)[word];
	/* The helper adds a difference: the new checksum's complement, and the old checksum. */
	__u32 difference = fold(sum) + old;
	difference = (difference & 0xffff) + (difference >> 16);
	if (bpf_l4_csum_replace(skb, segment->tcp + 16, 0, difference, 0))
		return TC_ACT_SHOT;
	return TC_ACT_UNSPEC;
}

static __always_inline int zero_payload(struct __sk_buff *skb)
{
	struct segment segment = {};
	int found = -1;

	if (!is_ethernet(skb))
		return TC_ACT_SHOT;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		found = find_in_ipv4(skb, &segment);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		found = find_in_ipv6(skb, &segment);
	return found ? TC_ACT_SHOT : zero(skb, &segment);
}

SEC("tc")
int tattle_zero(struct __sk_buff *skb)
{
	if ((skb->mark & ORDER_MASK) != ORDER_ALTER)
		return TC_ACT_UNSPEC;
	return zero_payload(skb);
}

/*
 * For an interface that nothing but copies of arrived packets goes to: they come back where they came from, zeroed.
 * The interface has that one's hardware address, without which the stack would take them for somebody else's.
 */
SEC("classifier/return")
int tattle_return(struct __sk_buff *skb)
{
	__u8 address[ETH_ALEN];

	if ((skb->mark & ORDER_MASK) != ORDER_ALTER || skb->ingress_ifindex == 0)
		return TC_ACT_SHOT;
	if (zero_payload(skb) == TC_ACT_SHOT)
		return TC_ACT_SHOT;
	if (bpf_skb_load_bytes(skb, ETH_ALEN, address, sizeof(address)))
		return TC_ACT_SHOT;
	if (bpf_skb_store_bytes(skb, 0, address, sizeof(address), 0))
		return TC_ACT_SHOT;
	skb->mark = (skb->mark & ~ORDER_MASK) | ORDER_ALTERED;
	return bpf_redirect(skb->ingress_ifindex, BPF_F_INGRESS);
}

char _license[] SEC("license") = "Dual MIT/GPL";
