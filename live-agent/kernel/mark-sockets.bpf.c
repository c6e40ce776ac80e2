// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Writes the mark into the TCP header of every packet that a socket of the cgroup sends (linux/bpf.h,
 * BPF_SOCK_OPS_WRITE_HDR_OPT_CB): SYN, SYN-ACK, data, pure ACK, FIN, RST and retransmissions. The kernel asks twice: how
 * much room the option takes, which lowers the MSS so that no packet outgrows the MTU, and then for its octets.
 *
 * What is said is in one map, empty until something was detected; an update there is on the next packet. Records stand
 * newest first; as many as fit are sent. A record with a deadline is left out once it has passed, whoever still runs.
 * Layout of the option: wire/mark-format.ts. Layout of the map's value: live-agent/marker/mark-value.ts.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "mark-tag.bpf.h"

/* The C library's sys/socket.h does not compile for the target bpf. */
#define AF_INET 2
/* Third word of an IPv6 address that stands for an IPv4 one (RFC 4291 section 2.5.5.2). */
#define MAPPED_IPV4 bpf_htonl(0xffff)

/*
 * Every address is read before any of them is looked at, and as a volatile: of reads in branches the compiler makes one
 * through a computed pointer, which the verifier refuses.
 */
#define FIELD(name) (*(const volatile __u32 *)&socket->name)

static __always_inline void read_connection(struct bpf_sock_ops *socket, struct connection *connection)
{
	__u32 remote[4] = { FIELD(remote_ip6[0]), FIELD(remote_ip6[1]), FIELD(remote_ip6[2]), FIELD(remote_ip6[3]) };
	__u32 local[4] = { FIELD(local_ip6[0]), FIELD(local_ip6[1]), FIELD(local_ip6[2]), FIELD(local_ip6[3]) };
	__u32 remote_ipv4 = FIELD(remote_ip4), local_ipv4 = FIELD(local_ip4);

	/* An IPv6 socket that speaks IPv4 has the other family's number. */
	connection->is_ipv4 =
		FIELD(family) == AF_INET || (!remote[0] && !remote[1] && remote[2] == MAPPED_IPV4);
	if (connection->is_ipv4) {
		remote[0] = remote[1] = local[0] = local[1] = 0;
		remote[2] = local[2] = MAPPED_IPV4;
		remote[3] = remote_ipv4;
		local[3] = local_ipv4;
	}
	__builtin_memcpy(connection->remote.words, remote, sizeof(remote));
	__builtin_memcpy(connection->local.words, local, sizeof(local));
	/* The one is in the host's order, the other in the network's, in the upper half. */
	connection->local_port = bpf_htons(FIELD(local_port));
	connection->remote_port = bpf_htons(bpf_ntohl(FIELD(remote_port)));
}

/* Whether the packet comes back to this host: nobody outside would see the mark. */
static __always_inline int stays_here(const struct connection *connection)
{
	const __u32 *local = connection->local.words, *remote = connection->remote.words;

	if (connection->is_ipv4 && (bpf_ntohl(remote[3]) >> 24) == 127)
		return 1;
	return remote[0] == local[0] && remote[1] == local[1] && remote[2] == local[2] && remote[3] == local[3];
}

/*
 * What a socket's packets carry, as long as nobody says anything else: a tag holds for a connection and a window, so it is
 * not computed for each packet. Sockets are locked while their packets are made.
 */
struct kept_option {
	/* That of the mark it was made of; 0 if there is nothing. */
	__u64 stamp;
	/* When it ends: the window, or a record of it (bpf_ktime_get_boot_ns). */
	__u64 until;
	/* Nobody outside would see the mark. */
	__u8 is_silent;
	/* There is a key for the socket's address. */
	__u8 is_tagged;
	/* Records that hold. */
	__u8 live;
	/* What there was room for on the packet that is being made, and what `octets` are: records, and WITH_TAG. */
	__u8 reserved, written;
	__u8 octets[OPTION_OCTETS];
};

#define WITH_TAG 0x80

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct kept_option);
} tattle_sockets SEC(".maps");

/* A request, which answers a SYN, is no socket yet, and has nothing. */
static __always_inline struct kept_option *find_kept(struct bpf_sock_ops *socket)
{
	struct bpf_sock *full = socket->sk;

	return full ? bpf_sk_storage_get(&tattle_sockets, full, 0, BPF_SK_STORAGE_GET_F_CREATE) : 0;
}

/* The end of the first record to end, and of the window if there is a tag. */
static __always_inline __u64 find_end(const struct mark *mark, int is_tagged, __u64 now)
{
	__u64 end = (1ull << 63) - 1;

	if (is_tagged) {
		__u64 time = mark->booted_at + now;
		end = now + WINDOW_NANOSECONDS - time % WINDOW_NANOSECONDS;
	}
#pragma unroll
	for (int place = 0; place < MOST_KEPT; place++) {
		if (is_live(mark, place, now) && mark->until[place] < end)
			end = mark->until[place];
	}
	return end;
}

static __always_inline void refresh(struct kept_option *kept, const struct mark *mark,
				    const struct connection *connection, __u64 now)
{
	kept->stamp = mark->stamp;
	kept->is_silent = !mark->on_loopback && stays_here(connection);
	kept->is_tagged = bpf_map_lookup_elem(&tattle_keys, &connection->local) != 0;
	kept->live = count_live(mark, now);
	kept->until = find_end(mark, kept->is_tagged, now);
	kept->written = 0;
}

/* Says what there is room for: records, and WITH_TAG. */
static __always_inline __u8 reserve(struct bpf_sock_ops *socket, const struct mark *mark, int is_tagged, __u32 live)
{
	__u32 header = mark->has_exid ? 5 : 3;

	if (is_tagged) {
		for (__u32 count = MOST_TAGGED_RECORDS; count > 0; count--) {
			__u32 length = 6 + RECORD_OCTETS * count + TAG_OCTETS;
			if (count <= live && !bpf_reserve_hdr_opt(socket, length, 0))
				return WITH_TAG | count;
		}
	}
	for (__u32 count = MOST_RECORDS; count > 0; count--) {
		if (count <= live && !bpf_reserve_hdr_opt(socket, header + RECORD_OCTETS * count, 0))
			return count;
	}
	return 0;
}

/* With a tag if this host has a key for the packet's address, and a record fits; says how many records were written. */
static __always_inline __u32 store_tagged(struct bpf_sock_ops *socket, const struct mark *mark,
					  const struct connection *connection, const struct option *records,
					  __u32 live, __u64 now, struct kept_option *kept)
{
	const struct host_key *key = bpf_map_lookup_elem(&tattle_keys, &connection->local);
	struct tagged_option option = {};

	if (!key)
		return 0;
#pragma unroll
	for (__u32 count = MOST_TAGGED_RECORDS; count > 0; count--) {
		if (count > live)
			continue;
		write_tagged(&option, mark, key, connection, records, count, live, now);
		if (bpf_store_hdr_opt(socket, option.octets, TAGGED_OCTETS, 0))
			continue;
		if (kept) {
			__builtin_memcpy(kept->octets, option.octets, TAGGED_OCTETS);
			kept->written = WITH_TAG | count;
		}
		return count;
	}
	return 0;
}

static __always_inline __u32 store_plain(struct bpf_sock_ops *socket, const struct mark *mark,
					 struct option *option, __u32 live, struct kept_option *kept)
{
	for (__u32 count = MOST_RECORDS; count > 0; count--) {
		if (count > live)
			continue;
		write_header(mark, option, count);
		/* The kernel takes the option's length from its second octet. */
		long error = mark->has_exid ? bpf_store_hdr_opt(socket, option->octets, OPTION_OCTETS, 0)
					    : bpf_store_hdr_opt(socket, option->octets + 2, OPTION_OCTETS - 2, 0);
		if (error)
			continue;
		if (kept && mark->has_exid)
			__builtin_memcpy(kept->octets, option->octets, OPTION_OCTETS);
		else if (kept)
			__builtin_memcpy(kept->octets, option->octets + 2, OPTION_OCTETS - 2);
		if (kept)
			kept->written = count;
		return count;
	}
	return 0;
}

static __always_inline void count_sent(__u32 sent, __u32 live)
{
	count_packet(sent == live ? COUNT_WHOLE : sent ? COUNT_SHORTENED : COUNT_NO_ROOM);
}

/* As many records as were reserved; fewer if the mark has changed in between, the kernel fills up with no-operations. */
static __always_inline void store(struct bpf_sock_ops *socket, const struct mark *mark,
				  const struct connection *connection, __u64 now, struct kept_option *kept)
{
	struct option option = {};
	__u32 live = gather_live(mark, now, &option);

	if (!live)
		return;
	__u32 sent = store_tagged(socket, mark, connection, &option, live, now, kept);
	if (!sent)
		sent = store_plain(socket, mark, &option, live, kept);
	count_sent(sent, live);
}

/* The packet's length is asked for. A record that ends meanwhile is left out when the packet is written. */
static __always_inline void take_room(struct bpf_sock_ops *socket, const struct mark *mark)
{
	struct kept_option *kept = find_kept(socket);
	struct connection connection;

	if (kept && kept->stamp == mark->stamp) {
		kept->reserved = kept->is_silent ? 0 : reserve(socket, mark, kept->is_tagged, kept->live);
		return;
	}
	read_connection(socket, &connection);
	if (kept) {
		refresh(kept, mark, &connection, bpf_ktime_get_boot_ns());
		kept->reserved = kept->is_silent ? 0 : reserve(socket, mark, kept->is_tagged, kept->live);
	} else if (mark->on_loopback || !stays_here(&connection)) {
		reserve(socket, mark, bpf_map_lookup_elem(&tattle_keys, &connection.local) != 0,
			count_live(mark, bpf_ktime_get_boot_ns()));
	}
}

static __always_inline void write_option(struct bpf_sock_ops *socket, const struct mark *mark)
{
	struct kept_option *kept = find_kept(socket);
	__u64 now = bpf_ktime_get_boot_ns();
	struct connection connection;

	if (kept && kept->stamp == mark->stamp && now < kept->until) {
		if (kept->is_silent)
			return;
		if (kept->written && kept->written == kept->reserved &&
		    !bpf_store_hdr_opt(socket, kept->octets, OPTION_OCTETS, 0)) {
			count_sent(kept->written & ~WITH_TAG, kept->live);
			return;
		}
	}
	read_connection(socket, &connection);
	if (kept)
		refresh(kept, mark, &connection, now);
	if (mark->on_loopback || !stays_here(&connection))
		store(socket, mark, &connection, now, kept);
}

/* A socket can be connected again, to somebody else. */
static __always_inline void forget(struct bpf_sock_ops *socket)
{
	struct bpf_sock *full = socket->sk;

	if (full)
		bpf_sk_storage_delete(&tattle_sockets, full);
}

SEC("sockops")
int tattle_mark(struct bpf_sock_ops *socket)
{
	__u32 key = 0;
	const struct mark *mark;

	switch (socket->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		forget(socket);
		/* fall through */
	case BPF_SOCK_OPS_TCP_LISTEN_CB:
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		/* Asked for even while nothing is detected, so that a detection reaches open connections. */
		bpf_sock_ops_cb_flags_set(socket,
					  socket->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG);
		break;
	case BPF_SOCK_OPS_HDR_OPT_LEN_CB:
	case BPF_SOCK_OPS_WRITE_HDR_OPT_CB:
		mark = bpf_map_lookup_elem(&tattle_marks, &key);
		if (!mark)
			break;
		if (socket->op == BPF_SOCK_OPS_HDR_OPT_LEN_CB)
			take_room(socket, mark);
		else
			write_option(socket, mark);
		break;
	}
	return 1;
}

char _license[] SEC("license") = "Dual MIT/GPL";
