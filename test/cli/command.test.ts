import { describe, expect, test } from "vitest";
import { commands } from "../../cli/command-table.ts";
import { parseCommandLine } from "../../cli/command.ts";
import type { Command } from "../../cli/command.ts";
import { formatHelp } from "../../cli/help.ts";
import { suggest } from "../../cli/suggest.ts";

const rank = commands.find((command) => command.name === "rank")!;
const host = commands.find((command) => command.name === "host")!;
const policy = commands.find((command) => command.name === "policy")!;
const dissector = commands.find((command) => command.name === "dissector")!;

const parse =
  (command: Command, ...args: string[]) =>
  () =>
    parseCommandLine(command, args);

describe("a command line", () => {
  test("is read in both spellings of a value", () => {
    const line = parseCommandLine(rank, ["--sort", "peers", "--limit=3", "--json"]);
    expect([line.value("sort"), line.value("limit"), line.has("json"), line.has("csv")]).toEqual([
      "peers",
      "3",
      true,
      false,
    ]);
  });

  test("everything behind -- is an operand", () => {
    expect(parseCommandLine(host, ["--", "--json"]).operands).toEqual(["--json"]);
  });

  test("an unknown option names the nearest one", () => {
    expect(parse(rank, "--srot", "peers")).toThrow("rank: unknown option --srot; did you mean --sort?");
    expect(parse(rank, "-x")).toThrow("rank: unknown option -x; tattle rank --help lists them");
  });

  test("a forgotten value is not filled with the next option", () => {
    expect(parse(rank, "--sort", "--json")).toThrow("--sort takes a value: --sort KEY");
    expect(parse(rank, "--limit")).toThrow("--limit takes a value: --limit NUMBER");
  });

  test("a switch takes no value", () => {
    expect(parse(rank, "--json=yes")).toThrow('--json takes no value, got "yes"');
  });

  test("a value outside the choices lists them", () => {
    expect(parse(rank, "--sort", "peer")).toThrow(
      '--sort: unknown value "peer"; one of score, activity, elapsed, elapsed-asc, last-seen, peers; did you mean peers?',
    );
    expect(parse(dissector, "instal")).toThrow(
      'ACTION: unknown value "instal"; one of install, uninstall, doctor; did you mean install?',
    );
  });

  test("a missing operand says what it is, a superfluous one is named", () => {
    expect(parse(host)).toThrow("host: ADDRESS is missing; IPv4 or IPv6 address of the host");
    expect(parse(policy)).toThrow("policy: ACTION is missing; one of check, show, explain");
    expect(parse(host, "10.0.0.1", "10.0.0.2")).toThrow('host: unexpected argument "10.0.0.2"');
  });

  test("--help needs no operand", () => {
    expect(parseCommandLine(host, ["--help"]).has("help")).toBe(true);
    expect(parseCommandLine(host, ["-h"]).has("help")).toBe(true);
  });
});

describe("the command table", () => {
  test.each(commands.map((command) => [command.name, command] as const))(
    "%s explains itself",
    (_, command) => {
      expect(command.summary).toMatch(/^[a-z].*[^.]$/);
      expect(command.description).toMatch(/\.$/);
      expect(command.examples.length).toBeGreaterThan(0);
      for (const example of command.examples) expect(example.line).toContain(`tattle ${command.name}`);
      const help = formatHelp(command);
      for (const option of command.options) expect(help).toContain(`--${option.name}`);
      expect(Math.max(...help.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    },
  );

  test.each(commands.map((command) => [command.name, command] as const))("%s loads", async (_, command) => {
    expect((await command.load()).run).toBeTypeOf("function");
  });
});

describe("the nearest word", () => {
  test("is found over a swap, a gap and a wrong letter", () => {
    const words = ["ingest", "rank", "serve", "codes"];
    expect(suggest("ignest", words)).toBe("ingest");
    expect(suggest("rnk", words)).toBe("rank");
    expect(suggest("code", words)).toBe("codes");
    expect(suggest("delete", words)).toBeUndefined();
  });
});
