// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Makes connections and listeners that are older than the marker ask it for options, too: an iterator over the TCP
 * sockets of the network namespace in which its file is read. Only sockets of the marked cgroup are touched. For each it
 * prints `+`, or `-` where the kernel refuses (before 6.12).
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* linux/bpf.h of kernel 6.12; older headers do not have it. */
#define SOCK_OPS_CB_FLAGS 1008
/* Deeper cgroups are not looked into; systemd makes about five levels. */
#define DEEPEST_CGROUP 32

/* Declared here with what is read of them; the loader finds the places of the running kernel. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct cgroup;
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};
struct kernfs_node {
	__u64 id;
};
struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};
struct sock_cgroup_data {
	struct cgroup *cgroup;
};
struct sock_common {
	unsigned short skc_family;
};
struct sock {
	struct sock_cgroup_data sk_cgrp_data;
};
struct inet_connection_sock;
struct tcp_sock;
struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};
#pragma clang attribute pop

/* Inode number of the cgroup's folder; set after loading, before the first reading. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} tattle_cgroup SEC(".maps");

static __always_inline int is_within(struct cgroup *cgroup, __u64 wanted)
{
	for (int depth = 0; depth < DEEPEST_CGROUP && cgroup; depth++) {
		if (cgroup->kn->id == wanted)
			return 1;
		struct cgroup_subsys_state *parent = cgroup->self.parent;
		cgroup = parent ? parent->cgroup : 0;
	}
	return 0;
}

SEC("iter/tcp")
int tattle_adopt(struct bpf_iter__tcp *context)
{
	struct sock_common *common = context->sk_common;
	__u32 key = 0;
	int flags = 0;

	if (!common)
		return 0;
	/* Requests and sockets in TIME_WAIT are none. */
	struct tcp_sock *socket = bpf_skc_to_tcp_sock(common);
	__u64 *cgroup = bpf_map_lookup_elem(&tattle_cgroup, &key);
	if (!socket || !cgroup || !is_within(((struct sock *)socket)->sk_cgrp_data.cgroup, *cgroup))
		return 0;
	if (!bpf_getsockopt(socket, IPPROTO_TCP, SOCK_OPS_CB_FLAGS, &flags, sizeof(flags)) &&
	    flags & BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG)
		return 0;
	flags |= BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG;
	char outcome = bpf_setsockopt(socket, IPPROTO_TCP, SOCK_OPS_CB_FLAGS, &flags, sizeof(flags)) ? '-' : '+';
	bpf_seq_write(context->meta->seq, &outcome, 1);
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
