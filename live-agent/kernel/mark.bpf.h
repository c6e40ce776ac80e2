/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What this host says of itself, and how it becomes an option; shared by the programs that mark.
 * The map's value is written by live-agent/marker/mark-value.ts.
 */
#pragma once

/* More than fit on any packet: when the newest ends by its deadline, an older one takes its place. */
#define MOST_KEPT 8
/* wire/mark-format.ts, maximumRecords. */
#define MOST_RECORDS 6
#define RECORD_OCTETS 6
/* Two octets of an ExID that may be absent, then 3 + 6 x 6. */
#define OPTION_OCTETS 41

struct mark {
	/*
	 * When a record ends: nanoseconds since boot, suspended time included (bpf_ktime_get_boot_ns); FOREVER until it is
	 * removed, 0 where there is none.
	 */
	__u64 until[MOST_KEPT];
	/* The six octets of a record as they are sent, and two unused. Newest first. */
	__u64 records[MOST_KEPT];
	__u8 kind;
	__u8 has_exid;
	__u8 exid[2];
	__u8 on_loopback;
	__u8 unused;
	__u8 authenticated_exid[2];
	/* When the machine was booted, nanoseconds since 1970: the time of day is not to be had here. */
	__u64 booted_at;
	/* Another one each time this is written, or keys are: what was made of an earlier one is forgotten. Never 0. */
	__u64 stamp;
};

/*
 * One entry or none. A hash, not an array: an update puts a new element in the old one's place, so no packet carries a
 * half-written mark.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mark);
} tattle_marks SEC(".maps");

/* Packets, by what became of their mark; live-agent/marker/kernel-marks.ts reads them. */
enum { COUNT_WHOLE, COUNT_SHORTENED, COUNT_NO_ROOM, COUNTS };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} tattle_counts SEC(".maps");

/* The option with an ExID; without one it begins at the third octet, so that records always stand at the sixth. */
struct option {
	__u8 octets[OPTION_OCTETS];
};

static __always_inline void count_packet(__u32 place)
{
	__u64 *count = bpf_map_lookup_elem(&tattle_counts, &place);

	if (count)
		*count += 1;
}

/*
 * 1 if the record holds, else 0. Computed, not compared: of eight branches the verifier would follow every combination.
 * FOREVER is the largest number that a signed one holds.
 */
static __always_inline __u64 is_live(const struct mark *mark, __u32 place, __u64 now)
{
	return (now - mark->until[place]) >> 63;
}

/* Records whose deadline has not passed, at most as many as an option holds. */
static __always_inline __u32 count_live(const struct mark *mark, __u64 now)
{
	__u32 live = 0;

#pragma unroll
	for (__u32 place = 0; place < MOST_KEPT; place++)
		live += is_live(mark, place, now);
	return live < MOST_RECORDS ? live : MOST_RECORDS;
}

/*
 * Puts the newest live records into the option, and says how many there are. From the oldest to the newest, each moving
 * the others down by one: every offset is a constant, which kernels before 5.13 demand of writes to the stack.
 */
static __always_inline __u32 gather_live(const struct mark *mark, __u64 now, struct option *option)
{
	__u64 gathered[MOST_RECORDS] = {};

#pragma unroll
	for (int place = MOST_KEPT - 1; place >= 0; place--) {
		if (!is_live(mark, place, now))
			continue;
#pragma unroll
		for (int to = MOST_RECORDS - 1; to > 0; to--)
			gathered[to] = gathered[to - 1];
		gathered[0] = mark->records[place];
	}
#pragma unroll
	for (int place = 0; place < MOST_RECORDS; place++)
		__builtin_memcpy(option->octets + 5 + RECORD_OCTETS * place, &gathered[place], RECORD_OCTETS);
	return count_live(mark, now);
}

/* What stands before the records (wire/mark-format.ts, markHeader and markHeaderWithExid). */
static __always_inline void write_header(const struct mark *mark, struct option *option, __u32 count)
{
	__u8 *octets = option->octets;

	if (mark->has_exid) {
		octets[0] = mark->kind;
		octets[1] = 5 + RECORD_OCTETS * count;
		octets[2] = mark->exid[0];
		octets[3] = mark->exid[1];
	} else {
		octets[2] = mark->kind;
		octets[3] = 3 + RECORD_OCTETS * count;
	}
	octets[4] = count;
}
