/**
 * The rule itself, in both Luas that Wireshark has been built with and in wire/: what an option is, for options of every
 * shape. template/reading.lua is pure Lua, so that it runs without Wireshark.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { luaString } from "../../dissector/lua-literal.ts";
import { decodeAuthenticatedMark } from "../../wire/authenticated-mark.ts";
import type { AuthenticatedMark } from "../../wire/authenticated-mark.ts";
import { MalformedError } from "../../wire/malformed-error.ts";
import { decodeMark } from "../../wire/mark.ts";

const template = fileURLToPath(new URL("../../dissector/template/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tattle-reading-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const exid = 0x0268;

/** Every length with every count and a few second octets, so that each branch of the rule is met at each of its edges. */
function everyShape(): Uint8Array[] {
  const options: Uint8Array[] = [];
  for (let length = 2; length <= 40; length++) {
    for (const first of [0, 1, 2, 3, 4, 5, 6, 7, 0xf9]) {
      for (const second of [0x00, 0x48, 0x68, 0xac]) {
        for (const third of length > 4 ? [0, 1, 2, 5, 6, 7] : [0]) {
          const option = Uint8Array.from({ length }, (_, index) => (index * 37 + first) & 255);
          option.set([253, length, first, second, third].slice(0, length));
          options.push(option);
        }
      }
    }
  }
  return options;
}

/** Every length and every shape octet behind the experiment identifier of authenticated marks. */
function everyAuthenticatedShape(): Uint8Array[] {
  const options: Uint8Array[] = [];
  for (let length = 4; length <= 40; length++) {
    for (let shape = 0; shape < (length > 4 ? 256 : 1); shape += length % 6 === 2 ? 1 : 7) {
      const option = Uint8Array.from({ length }, (_, index) => (index * 41 + shape) & 255);
      option.set([253, length, 0x4d, 0x4b, shape].slice(0, length));
      options.push(option);
    }
  }
  return options;
}

function readWithDecoder(option: Uint8Array): string {
  try {
    const authenticated = decodeAuthenticatedMark(new DataView(option.buffer), 0);
    if (authenticated) return authenticatedLine(authenticated);
  } catch (error) {
    if (error instanceof MalformedError && option.length >= 4)
      return `malformed ${error.offset}: ${error.problem}`;
    if (!(error instanceof MalformedError)) throw error;
  }
  try {
    const mark = decodeMark(new DataView(option.buffer), 0, exid);
    if (!mark) return "foreign";
    const records = mark.records.map(
      (record) => `${record.detectedAt}/${record.category}/${record.activity}`,
    );
    return `mark ${mark.exid ?? "plain"} ${records.join(" ")}`;
  } catch (error) {
    if (error instanceof MalformedError) return `malformed ${error.offset}: ${error.problem}`;
    throw error;
  }
}

function authenticatedLine({ keyId, more, clean, records }: AuthenticatedMark): string {
  const bits = `${more ? "more " : ""}${clean ? "clean " : ""}`;
  const texts = records.map((record) => `${record.detectedAt}/${record.category}/${record.activity}`);
  return `authenticated ${keyId} ${bits}${texts.join(" ")}`;
}

function luaProgram(options: readonly Uint8Array[]): string {
  const literals = options.map((option) => luaString(Buffer.from(option).toString("hex")));
  return `
local template = ${luaString(template)}
local tables = assert(loadfile(template .. "tables.lua"))()
local authenticated = assert(loadfile(template .. "authenticated.lua"))(tables)
local reading = assert(loadfile(template .. "reading.lua"))(tables, authenticated)
reading.use_exids(${exid}, tables.authenticated_exid)
local function describe(option)
  if option.state == "malformed" then return string.format("malformed %d: %s", option.at, option.problem) end
  if option.state == "foreign" then return "foreign" end
  local records = {}
  for index, record in ipairs(option.records) do
    records[index] = string.format("%d/%d/%d", record.detected_at, record.category, record.code)
  end
  if option.is_authenticated then
    local bits = (option.is_more and "more " or "") .. (option.is_clean and "clean " or "")
    return "authenticated " .. option.key_id .. " " .. bits .. table.concat(records, " ")
  end
  return "mark " .. (option.exid or "plain") .. " " .. table.concat(records, " ")
end
for _, hexadecimal in ipairs({
${literals.join(",\n")}
}) do
  local octets = hexadecimal:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end)
  print(describe(reading.read(octets)))
end
`;
}

test.each(["lua5.2", "lua5.4"])(
  "the reading of options of every shape is that of the decoder, in %s",
  (lua) => {
    const options = [...everyShape(), ...everyAuthenticatedShape()];
    const program = join(folder, `${lua}.lua`);
    writeFileSync(program, luaProgram(options));
    const lines = execFileSync(lua, [program], { encoding: "utf8", maxBuffer: 2 ** 26 })
      .trimEnd()
      .split("\n");
    expect(lines).toEqual(options.map(readWithDecoder));
    for (const state of ["mark plain", `mark ${exid}`, "authenticated", "malformed", "foreign"]) {
      expect(lines.filter((line) => line.startsWith(state)).length, state).toBeGreaterThanOrEqual(3);
    }
  },
);

test.each(["lua5.2", "lua5.4"])("elapsed times are short, and say which way they go, in %s", (lua) => {
  const seconds = [
    0, 59.9, 60, 92, 3599, 3600, 7512, 86_399, 86_400, 100_000, 31_536_000, 1_773_738_000, -1, -4000,
  ];
  const program = join(folder, `elapsed-${lua}.lua`);
  const spans = seconds.map((second) => second * 1_000_000).join(", ");
  writeFileSync(
    program,
    `local elapsed = assert(loadfile(${luaString(`${template}elapsed.lua`)}))()
for _, span in ipairs({ ${spans} }) do
  local whole, rest = elapsed.split(span)
  print(string.format("%s, %s, %d.%09d, %d", elapsed.ago(span), elapsed.relation(span), whole, rest, elapsed.minutes(span)))
end`,
  );
  const lines = execFileSync(lua, [program], { encoding: "utf8" }).trimEnd().split("\n");
  expect(lines).toEqual([
    "0s ago, 0s before this packet, 0.000000000, 0",
    "59s ago, 59s before this packet, 59.900000000, 0",
    "1m00s ago, 1m00s before this packet, 60.000000000, 1",
    "1m32s ago, 1m32s before this packet, 92.000000000, 1",
    "59m59s ago, 59m59s before this packet, 3599.000000000, 59",
    "1h00m ago, 1h00m before this packet, 3600.000000000, 60",
    "2h05m ago, 2h05m before this packet, 7512.000000000, 125",
    "23h59m ago, 23h59m before this packet, 86399.000000000, 1439",
    "1d00h ago, 1d00h before this packet, 86400.000000000, 1440",
    "1d03h ago, 1d03h before this packet, 100000.000000000, 1666",
    "1y000d ago, 1y000d before this packet, 31536000.000000000, 525600",
    "56y089d ago, 56y089d before this packet, 1773738000.000000000, 29562300",
    "in 1s, 1s after this packet, -1.000000000, 0",
    "in 1h06m, 1h06m after this packet, -4000.000000000, -66",
  ]);
});

test.each(["lua5.2", "lua5.4"])(
  "a host's address in the dashboard holds nothing but an address, in %s",
  (lua) => {
    const program = join(folder, `menu-${lua}.lua`);
    writeFileSync(
      program,
      `local menu = assert(loadfile(${luaString(`${template}menu.lua`)}))({})
for _, case in ipairs({
  { "http://127.0.0.1:8765", "10.1.0.25" },
  { "https://tattle.example/ ", "fd10::25" },
  { "http://127.0.0.1:8765", "10.1.0.25&open=calc" },
  { "file:///etc", "10.1.0.25" },
  { "", "10.1.0.25" },
}) do
  print(menu.url_of(case[1], case[2]))
end`,
    );
    const lines = execFileSync(lua, [program], { encoding: "utf8" }).trimEnd().split("\n");
    expect(lines).toEqual([
      "http://127.0.0.1:8765/hosts/10.1.0.25",
      "https://tattle.example/hosts/fd10::25",
      "nil",
      "nil",
      "nil",
    ]);
  },
);
