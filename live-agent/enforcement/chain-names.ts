/** Names of our chains: at most 28 characters (XT_EXTENSION_MAXNAMELEN of linux/netfilter/x_tables.h). */

/** Everything of ours in the kernel begins so. */
export const chainPrefix = "TATTLE";

export const chainNames = {
  entry: chainPrefix,
  find: `${chainPrefix}-FIND`,
  extensions: `${chainPrefix}-EXT`,
  unreadable: `${chainPrefix}-UNREADABLE`,
  walk: `${chainPrefix}-WALK`,
  slow: `${chainPrefix}-SLOW`,
  position: (position: number): string => `${chainPrefix}-P${position}`,
  foreign: `${chainPrefix}-FOREIGN`,
  foreignPosition: (position: number): string => `${chainPrefix}-F${position}`,
  cleared: `${chainPrefix}-CLEARED`,
  bare: `${chainPrefix}-BARE`,
  barePosition: (position: number): string => `${chainPrefix}-B${position}`,
  bareFound: `${chainPrefix}-BARE-STRIP`,
  bareAsIs: `${chainPrefix}-BARE-NEVER`,
  unmarked: `${chainPrefix}-UNMARKED`,
  rules: `${chainPrefix}-RULES`,
  exidRules: `${chainPrefix}-RULES-EXID`,
  authenticatedRules: `${chainPrefix}-RULES-AUTH`,
  trusted: `${chainPrefix}-TRUSTED`,
  neverBlock: `${chainPrefix}-NEVER`,
  neverBlockAsIs: `${chainPrefix}-NEVER-ASIS`,
  default: `${chainPrefix}-DEFAULT`,
  verdict: (index: number): string => `${chainPrefix}-V${index}`,
  alter: (index: number): string => `${chainPrefix}-V${index}-ALTER`,
  alterAtHost: (index: number): string => `${chainPrefix}-V${index}-RETURN`,
  fallback: (index: number): string => `${chainPrefix}-V${index}-DROP`,
  unstrippable: `${chainPrefix}-STRIP-DROP`,
  reject: `${chainPrefix}-REJECT`,
  unrejected: `${chainPrefix}-UNREJECTED`,
} as const;
