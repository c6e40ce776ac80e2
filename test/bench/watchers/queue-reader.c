/*
 * The least that a user-space filter by NFQUEUE can be: binds a queue, looks in each packet for a mark (tattle's strict
 * rule, TCP over IPv4), and drops or accepts it. Raw netlink, so that nothing but a C compiler is needed. For the bench
 * alone: `queue-reader QUEUE`, prints "ready" when packets may come.
 *
 * Kernel interface: linux/netfilter/nfnetlink_queue.h.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The longest IPv4 and TCP headers. */
#define COPIED 120

struct message {
	struct nlmsghdr header;
	struct nfgenmsg family;
	char attributes[64];
};

static int netlink_socket;
static unsigned short queue;

static struct message begin(int type)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.header.nlmsg_len = NLMSG_LENGTH(sizeof(m.family));
	m.header.nlmsg_type = (NFNL_SUBSYS_QUEUE << 8) | type;
	m.header.nlmsg_flags = NLM_F_REQUEST;
	m.family.version = NFNETLINK_V0;
	m.family.res_id = htons(queue);
	return m;
}

static void add(struct message *m, int type, const void *value, int length)
{
	struct nlattr *attribute = (void *)((char *)m + NLMSG_ALIGN(m->header.nlmsg_len));

	attribute->nla_type = type;
	attribute->nla_len = NLA_HDRLEN + length;
	memcpy((char *)attribute + NLA_HDRLEN, value, length);
	m->header.nlmsg_len = NLMSG_ALIGN(m->header.nlmsg_len) + NLA_ALIGN(attribute->nla_len);
}

static void say(struct message *m)
{
	if (send(netlink_socket, m, m->header.nlmsg_len, 0) < 0) {
		perror("send");
		exit(1);
	}
}

/* An option of kind 253 or 254 whose length is exactly right for a count of 1 to 6. */
static int is_marked(const unsigned char *packet, int length)
{
	int tcp, end, at;

	if (length < 40 || packet[0] >> 4 != 4 || packet[9] != 6)
		return 0;
	tcp = (packet[0] & 15) * 4;
	if (tcp + 20 > length)
		return 0;
	end = tcp + (packet[tcp + 12] >> 4) * 4;
	if (end > length)
		return 0;
	for (at = tcp + 20; at + 1 < end; at += packet[at + 1]) {
		while (at < end && packet[at] == 1)
			at++;
		if (at + 1 >= end || packet[at] == 0 || packet[at + 1] < 2 || at + packet[at + 1] > end)
			return 0;
		if ((packet[at] == 253 || packet[at] == 254) && packet[at + 1] >= 9 && packet[at + 2] >= 1 &&
		    packet[at + 2] <= 6 && packet[at + 1] == 3 + 6 * packet[at + 2])
			return 1;
	}
	return 0;
}

static void decide(const struct nlmsghdr *header)
{
	const char *at = (const char *)header + NLMSG_LENGTH(sizeof(struct nfgenmsg));
	const char *end = (const char *)header + header->nlmsg_len;
	struct nfqnl_msg_verdict_hdr verdict = { .verdict = htonl(NF_ACCEPT) };
	struct message m = begin(NFQNL_MSG_VERDICT);

	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *attribute = (const void *)at;
		const void *value = at + NLA_HDRLEN;
		int type = attribute->nla_type & NLA_TYPE_MASK;

		if (type == NFQA_PACKET_HDR)
			verdict.id = ((const struct nfqnl_msg_packet_hdr *)value)->packet_id;
		else if (type == NFQA_PAYLOAD && is_marked(value, attribute->nla_len - NLA_HDRLEN))
			verdict.verdict = htonl(NF_DROP);
		at += NLA_ALIGN(attribute->nla_len);
	}
	add(&m, NFQA_VERDICT_HDR, &verdict, sizeof(verdict));
	say(&m);
}

int main(int argc, char **argv)
{
	struct nfqnl_msg_config_cmd bind_command = { .command = NFQNL_CFG_CMD_BIND, .pf = htons(AF_INET) };
	struct nfqnl_msg_config_params copy = { .copy_range = htonl(COPIED), .copy_mode = NFQNL_COPY_PACKET };
	unsigned int longest = htonl(65536), room = 16 << 20;
	static char buffer[1 << 16];
	struct message m;

	if (argc != 2) {
		fprintf(stderr, "queue-reader QUEUE\n");
		return 2;
	}
	queue = atoi(argv[1]);
	netlink_socket = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	setsockopt(netlink_socket, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	m = begin(NFQNL_MSG_CONFIG);
	add(&m, NFQA_CFG_CMD, &bind_command, sizeof(bind_command));
	say(&m);
	m = begin(NFQNL_MSG_CONFIG);
	add(&m, NFQA_CFG_PARAMS, &copy, sizeof(copy));
	add(&m, NFQA_CFG_QUEUE_MAXLEN, &longest, sizeof(longest));
	say(&m);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int length = recv(netlink_socket, buffer, sizeof(buffer), 0);
		struct nlmsghdr *header = (void *)buffer;

		/* ENOBUFS: packets were lost on the way here, as with every reader that is too slow. */
		if (length < 0)
			continue;
		for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length))
			if (header->nlmsg_type == ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET))
				decide(header);
	}
}
