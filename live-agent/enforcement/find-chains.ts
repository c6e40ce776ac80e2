/**
 * The chains that find the mark of a packet. Chains cannot loop, and nf_tables follows every path through them, so
 * they are flat: a walk is continued from each position in turn, and the position is in the packet mark.
 *
 *     TATTLE -> may be marked? -> TATTLE-FIND -> TATTLE-WALK -> mark found -> TATTLE-RULES
 *                                                    |  ^
 *                     odd headers: TATTLE-SLOW, TATTLE-P0 ... TATTLE-P31
 */
import type { Policy } from "../../policy/policy.ts";
import { reservedRuleNames } from "../../policy/policy.ts";
import { chainNames } from "./chain-names.ts";
import {
  extensionBit,
  hasExtensions,
  isAuthenticated,
  isLaterFragment,
  isTooLong,
  usesReservedOctet,
} from "./extension-programs.ts";
import { extensionBits, fieldValue, hex, orders, positionBits, positionMask } from "./packet-place.ts";
import type { Family } from "./packet-place.ts";
import { dropRules } from "./report-rules.ts";
import { clearField, flip, networkRules, whenMatched } from "./rule-text.ts";
import type { Chain } from "./chains.ts";
import type { EnforcementSettings } from "./enforcement-settings.ts";
import {
  isListEndHere,
  isMarkHere,
  isRecordlessHere,
  lastMarkPosition,
  lastOptionPosition,
  lastRecordlessPosition,
  mayBeMarked,
  placeOf,
  positionBitChanges,
} from "./walk-programs.ts";
import type { Place, WalkGoal } from "./walk-programs.ts";

/** From the entry to the position of the mark. */
export function findChains(policy: Policy, settings: EnforcementSettings, family: Family): Chain[] {
  const place = placeOf(policy, settings, family);
  return [
    ...entryChains(family, policy, settings),
    { name: chainNames.walk, rules: walkRules(place) },
    { name: chainNames.slow, rules: positionJumps(place, chainNames.position, lastMarkPosition) },
    ...positionChains(place, chainNames.position, "mark", lastMarkPosition),
    ...(policy.stripAtEgress || policy.rules.some((rule) => rule.action === "strip")
      ? foreignChains(place)
      : []),
    ...recordlessChains(policy, place),
  ];
}

function entryChains(family: Family, policy: Policy, settings: EnforcementSettings): Chain[] {
  const { markShift } = settings;
  const goFind = whenMatched(mayBeMarked(family), `-g ${chainNames.find}`);
  const find = { name: chainNames.find, rules: [clearField(markShift), `-g ${chainNames.walk}`] };
  const altered = alteredRules(policy, settings);
  if (family === 4) return [{ name: chainNames.entry, rules: [...altered, goFind] }, find];
  return [
    {
      name: chainNames.entry,
      rules: [...altered, goFind, whenMatched(hasExtensions(), `-g ${chainNames.extensions}`)],
    },
    find,
    { name: chainNames.extensions, rules: extensionRules(markShift) },
    { name: chainNames.unreadable, rules: unreadableRules(policy, settings) },
  ];
}

/** What comes back to an end host with its payload zeroed was decided on. */
function alteredRules(policy: Policy, { hooks, markShift }: EnforcementSettings): string[] {
  if (!hooks.includes("INPUT") || !policy.rules.some((rule) => rule.action === "alter")) return [];
  return [`-m mark --mark ${fieldValue(orders.altered, markShift)} -g ${chainNames.unmarked}`];
}

function extensionRules(shift: number): string[] {
  const bits = Array.from({ length: extensionBits }, (_, index) => 2 ** index);
  return [
    whenMatched(isAuthenticated(), "-j RETURN"),
    whenMatched(isLaterFragment(), "-j RETURN"),
    whenMatched(usesReservedOctet(), `-g ${chainNames.unreadable}`),
    whenMatched(isTooLong(), `-g ${chainNames.unreadable}`),
    clearField(shift),
    ...bits.map((bit) => whenMatched(extensionBit(bit), flip(bit * 2 ** (shift + positionBits)))),
    `-g ${chainNames.walk}`,
  ];
}

function unreadableRules(policy: Policy, settings: EnforcementSettings): string[] {
  if (policy.unreadable === "accept") return [];
  return [
    ...networkRules(policy.neverBlock, 6, "-j RETURN", "both"),
    ...dropRules(settings, reservedRuleNames.unreadable),
  ];
}

function walkRules(place: Place): string[] {
  const found = [
    whenMatched(isMarkHere(place, "plain"), `-g ${chainNames.rules}`),
    ...(place.selection.exid === undefined
      ? []
      : [whenMatched(isMarkHere(place, "exid"), `-g ${chainNames.exidRules}`)]),
    whenMatched(isMarkHere(place, "authenticated"), `-g ${chainNames.authenticatedRules}`),
  ];
  return [
    ...positionRules(place, 0, "any", lastMarkPosition),
    ...found,
    whenMatched(isListEndHere(place), `-g ${chainNames.unmarked}`),
    `-j ${chainNames.slow}`,
    ...found,
    // What there is to do about a packet without a mark is done in one place.
    `-g ${chainNames.unmarked}`,
  ];
}

/** One rule for each bit of the position that the walk from `start` can change. */
function positionRules(place: Place, start: number, goal: WalkGoal, last: number): string[] {
  return Array.from({ length: positionBits }, (_, index) => 2 ** index)
    .filter((bit) => bit <= last)
    .map((bit) => whenMatched(positionBitChanges(place, start, goal, bit), flip(bit * 2 ** place.shift)));
}

/** Whether marks without records are looked for: they are nothing to rules, but are kept inside as others are. */
export function keepsRecordlessInside(policy: Policy): boolean {
  return policy.stripAtEgress && policy.outside.length > 0;
}

/** Of packets without any other mark that leave: to `found` with those that hold a mark without records. */
function recordlessChains(policy: Policy, place: Place): Chain[] {
  if (!keepsRecordlessInside(policy)) return [];
  return [
    {
      name: chainNames.bare,
      rules: [
        `-j MARK --set-xmark 0x0/${positionMask(place.shift)}`,
        ...positionJumps(place, chainNames.barePosition, lastRecordlessPosition),
        whenMatched(isRecordlessHere(place, policy.authenticatedExid), `-g ${chainNames.bareFound}`),
        clearField(place.shift),
      ],
    },
    ...positionChains(place, chainNames.barePosition, "recordless", lastRecordlessPosition),
  ];
}

function positionJumps(place: Place, name: (position: number) => string, last: number): string[] {
  const mask = positionMask(place.shift);
  return Array.from({ length: last + 1 }, (_, position) => {
    const value = hex(position * 2 ** place.shift);
    return `-m mark --mark ${value}/${mask} -j ${name(position)}`;
  });
}

function positionChains(
  place: Place,
  name: (position: number) => string,
  goal: WalkGoal,
  last: number,
): Chain[] {
  return Array.from({ length: last + 1 }, (_, position) => ({
    name: name(position),
    rules: positionRules(place, position, goal, last),
  }));
}

/** After these the position is that of a foreign option of a mark's kind, if there is one. */
function foreignChains(place: Place): Chain[] {
  return [
    {
      name: chainNames.foreign,
      rules: [
        `-j MARK --set-xmark 0x0/${positionMask(place.shift)}`,
        ...positionJumps(place, chainNames.foreignPosition, lastOptionPosition),
      ],
    },
    ...positionChains(place, chainNames.foreignPosition, "foreign", lastOptionPosition),
  ];
}
