/**
 * Where the WebAssembly half (quiet-frames.as.ts) and the JavaScript half keep what they share: octet offsets in the
 * memory that captures stream through, below the place where frames land. Read by both compilers, so constants only.
 */

/** Digest of the content: four words, one a lane (content-digest.ts). */
export const lanes = 64;
/** The digest's four multipliers, in words. */
export const laneMultipliers = 80;
/** The address filter's multipliers of the third and fourth word of IPv4, then of all four words of IPv6. */
export const hashMultipliers = 96;
/** Shift that makes a place in the address filter of a hash; 32 while no address is flagged. */
export const filterShift = 112;
/** Largest record that the capture may hold, octets of the frame. */
export const largestFrame = 116;
/** Number of the interface that packet blocks have to be of. */
export const interfaceNumber = 120;

/** Results of a call. Frames passed over, and how many of them carry TCP. */
export const quietFrames = 128;
export const quietTcp = 132;
/** Earliest and latest time as they stand in the capture: low word, high word. */
export const firstTime = 136;
export const lastTime = 144;
/** Time of the last frame that was passed over. */
export const newestTime = 152;

/** One octet a TCP option kind: 1 if marks have it. */
export const markKinds = 256;

/** Bits of the address filter; up to 512 KiB. */
export const filterBits = 65_536;
export const filterOctets = 524_288;

/** Nothing of a capture may lie below. */
export const stateEnd = 589_824;
