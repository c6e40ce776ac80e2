/** Names that attack whoever reads them: they are shown as text, with nothing hidden in it. */
import { expect, test } from "vitest";
import type { RankedHost } from "../../analytics/store.ts";
import { dashboardInBrowser } from "../support/dashboard-in-browser.ts";
import { codeBook } from "../support/dashboard.ts";
import { makeEvidence } from "../support/fake-evidence.ts";
import { FakeStore } from "../support/fake-store.ts";

const markup = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
/** U+202E turns what follows around: fdp.exe would read exe.pdf. */
const turned = "invoice\u202efdp.exe";
const control = "bell\u0007 and \u001b[31mred";
const link = "javascript:alert(3)";

function hostileStore(): FakeStore {
  const evidence = makeEvidence(codeBook, 3, 4);
  const names = [markup, turned, control, link];
  const hosts = evidence.hosts.map((host, index): RankedHost => ({
    ...host,
    name: names[index]!,
    detections: host.detections.map((detection) => ({ ...detection, title: `${markup} ${index}` })),
  }));
  return new FakeStore({
    ...evidence,
    hosts,
    captures: evidence.captures.map((capture) => ({ ...capture, name: markup, reason: markup })),
    details: (host) => {
      const details = evidence.details(host);
      return {
        ...details,
        flows: details.flows.map((flow) => ({ ...flow, peerName: markup })),
        events: details.flows.map(({ peer, hostPort, peerPort, firstSeen }) => ({
          time: firstSeen,
          verdict: markup,
          rule: markup,
          peer,
          hostPort,
          peerPort,
        })),
      };
    },
  });
}

const browser = dashboardInBrowser(hostileStore);

test.each([
  "",
  "?group=activity",
  "hosts/10.0.1.10",
  "captures",
  "?filter=%3Cscript%3Ealert(1)%3C/script%3E",
])("/%s shows markup as text and runs nothing", async (path) => {
  const page = await browser.open(path);
  const dialogs: string[] = [];
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await page.locator("h1").waitFor();
  for (const summary of await page.locator("details:not(.menu) > summary").all()) await summary.click();
  expect(await page.locator("main img, main script, main [onerror]").count()).toBe(0);
  expect(await page.locator("a[href^='javascript' i]").count()).toBe(0);
  if (!path.startsWith("?filter")) expect(await page.locator("main").textContent()).toContain(markup);
  expect(dialogs).toEqual([]);
});

test("characters that hide or turn text around are written out", async () => {
  const page = await browser.open();
  await page.locator(".hosts").waitFor();
  const names = await page.locator(".hosts .host-name").allTextContents();
  expect(names.toSorted()).toEqual(
    [markup, "bell\\u{7} and \\u{1b}[31mred", "invoice\\u{202e}fdp.exe", link].toSorted(),
  );
  expect(await page.locator("body").textContent()).not.toMatch(/\u202e|[^\P{Cc}\n]/u);
});

test("a file name in the list of uploads is text too", async () => {
  const page = await browser.open("captures");
  await page.locator("#captures").waitFor();
  const name = "<b>bold</b>.pcap";
  await page.locator("#chooser").setInputFiles([{ name, mimeType: "", buffer: Buffer.from("octets") }]);
  await page.locator(".uploads .complete").waitFor();
  expect(await page.locator(".upload-name").textContent()).toBe(name);
});

test("Trusted Types hold: even our own script cannot turn text into markup", async () => {
  const page = await browser.open("", { mayComplain: true });
  const outcome = await page.evaluate<string>(
    `(() => { try { document.body.innerHTML = "<b>x</b>"; return "turned into markup"; } catch (error) { return error.name; } })()`,
  );
  expect(outcome).toBe("TypeError");
});
