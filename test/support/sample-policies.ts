/** Policies that use every condition and action, for the tests that compare rules with decide(). */
export const samplePolicies: readonly { readonly rules: readonly object[]; readonly settings: object }[] = [
  { rules: [], settings: {} },
  {
    rules: [
      { name: "old-noise", category: [2], elapsed: { atLeast: 3600 }, action: "accept" },
      { name: "fresh-leak", category: ["leak"], elapsed: { lessThan: 600 }, action: "drop", notify: true },
      {
        name: "grown-malware",
        activity: ["malware/ran", "1/2"],
        elapsed: { atLeast: 60, lessThan: 3600 },
        action: "reject",
      },
      { name: "known-serious", severity: ["critical", "high"], trust: "lone", action: "drop" },
      { name: "tidy", severity: ["low", "info"], action: "strip" },
      { name: "old-medium", severity: ["medium"], elapsed: { atLeast: 600 }, action: "drop" },
    ],
    settings: { neverBlock: ["10.1.0.3", "fd01::3"], exid: 0xabcd },
  },
  {
    rules: [
      { name: "inside", destination: ["10.1.0.0/16", "fd01::/64"], action: "accept" },
      { name: "young", elapsed: { lessThan: 61 }, category: [1, 3, 5], action: "accept" },
      { name: "to-one-host", destination: ["10.2.0.3", "fd02::3"], category: [1], action: "reject" },
      { name: "blank", direction: "outbound", category: [3, 4], action: "alter" },
      { name: "not-on-lan", leavesBy: ["lan0"], action: "drop" },
      { name: "aged-strip", elapsed: { atLeast: 3600 }, category: [0, 255], action: "strip" },
    ],
    settings: {
      stripAtEgress: true,
      unreadable: "drop",
      trustedNetworks: ["10.2.0.4/32", "fd02::4"],
      kinds: [253],
    },
  },
  {
    rules: [
      { name: "forged", trust: "invalid", category: [1, 2, 3], action: "accept" },
      { name: "surely-leaks", trust: "verified", category: [2], action: "drop" },
      { name: "surely-ran", trust: "verified", category: [1], elapsed: { atLeast: 60 }, action: "reject" },
      { name: "sure", trust: "verified", category: [3, 4, 5], action: "strip" },
      { name: "false", trust: "invalid", category: [4, 5], action: "drop" },
      { name: "said", category: [2], action: "accept" },
    ],
    settings: { exid: 0xabcd },
  },
];
