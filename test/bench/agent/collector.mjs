/**
 * Takes events and answers, in a bench: in the dashboard's place, or as one who hands them on to it and notes when it has
 * answered. A line on standard input asks for what came so far, told as a JSON object a line.
 * `collector.mjs PORT [PORT-OF-THE-DASHBOARD]`
 */
import { Agent, createServer, request as sendRequest } from "node:http";
import { createInterface } from "node:readline";

const [port, dashboard] = process.argv.slice(2).map(Number);
const keepAlive = new Agent({ keepAlive: true });

const ids = new Set();
let [events, gaps, gapPackets, duplicates] = [0, 0, 0, 0];
/** When events came, by the port of the host; milliseconds since 1970. */
const arrivals = new Map();

function take(body) {
  const now = performance.timeOrigin + performance.now();
  for (const line of body.split("\n")) {
    if (line === "") continue;
    const event = JSON.parse(line);
    if (ids.has(event.id)) {
      duplicates++;
      continue;
    }
    ids.add(event.id);
    if (event.type === "gap") {
      gaps++;
      gapPackets += event.packets;
    } else {
      events++;
      if (arrivals.size < 20_000) arrivals.set(event.hostPort, now);
    }
  }
}

/** The dashboard's status, once it has answered to the end. */
async function handOn({ url, method, headers }, body) {
  if (dashboard === undefined) return 204;
  return new Promise((resolve, reject) => {
    const place = { agent: keepAlive, host: "127.0.0.1", port: dashboard, path: url, method };
    const { authorization, "content-type": type } = headers;
    const wanted = { authorization, "content-type": type, "content-length": body.length };
    const sent = sendRequest({ ...place, headers: wanted }, (answer) => {
      answer.resume();
      answer.once("end", () => resolve(answer.statusCode));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", async () => {
    const body = Buffer.concat(pieces);
    const status = await handOn(request, body).catch(() => 502);
    if (request.url === "/api/agent/events" && status < 300) take(body.toString());
    response.writeHead(status).end();
  });
}).listen(port, "127.0.0.1", () => process.stdout.write("listening\n"));

createInterface({ input: process.stdin }).on("line", (line) => {
  const told = { events, gaps, gapPackets, duplicates };
  process.stdout.write(`${JSON.stringify(line === "all" ? { ...told, arrivals: [...arrivals] } : told)}\n`);
});
