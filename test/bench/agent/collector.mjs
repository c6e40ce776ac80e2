/**
 * Stands for the dashboard in a bench: takes events and answers. A line on standard input asks for what came so far,
 * told as a JSON object a line. `collector.mjs PORT`
 */
import { createServer } from "node:http";
import { createInterface } from "node:readline";

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

createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    if (request.url === "/api/agent/events") take(Buffer.concat(pieces).toString());
    response.writeHead(204).end();
  });
}).listen(Number(process.argv[2]), "127.0.0.1", () => process.stdout.write("listening\n"));

createInterface({ input: process.stdin }).on("line", (line) => {
  const told = { events, gaps, gapPackets, duplicates };
  process.stdout.write(`${JSON.stringify(line === "all" ? { ...told, arrivals: [...arrivals] } : told)}\n`);
});
