/** Ids of the table trust, in their order. */
export const trust = { lone: 0, established: 1, verified: 2, implausible: 3, invalid: 4 } as const;
