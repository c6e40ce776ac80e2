// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * For tests: every TCP packet that a socket of the cgroup sends carries the options in the map, as the mark does when
 * the host tattles (linux/bpf.h, BPF_SOCK_OPS_WRITE_HDR_OPT_CB).
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct option {
	__u32 length;
	/* Longer than any option, so that six bits are a bound. */
	__u8 octets[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct option);
} options SEC(".maps");

static __always_inline void reserve_or_store(struct bpf_sock_ops *socket, __u32 place)
{
	struct option *option = bpf_map_lookup_elem(&options, &place);

	if (!option)
		return;
	__u32 length = option->length;
	if (length < 4 || length > 40)
		return;
	/* The verifier forgets the bounds above; these instructions state them again without changing the value. */
	asm volatile("%0 += -1\n%0 &= 63\n%0 += 1" : "+r"(length));
	if (socket->op == BPF_SOCK_OPS_HDR_OPT_LEN_CB)
		bpf_reserve_hdr_opt(socket, length, 0);
	else
		bpf_store_hdr_opt(socket, option->octets, length, 0);
}

SEC("sockops")
int mark_connections(struct bpf_sock_ops *socket)
{
	switch (socket->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
	case BPF_SOCK_OPS_TCP_LISTEN_CB:
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		bpf_sock_ops_cb_flags_set(socket, socket->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG);
		break;
	case BPF_SOCK_OPS_HDR_OPT_LEN_CB:
	case BPF_SOCK_OPS_WRITE_HDR_OPT_CB:
		reserve_or_store(socket, 0);
		reserve_or_store(socket, 1);
		break;
	}
	return 1;
}

char _license[] SEC("license") = "Dual MIT/GPL";
