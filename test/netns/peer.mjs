/**
 * The two ends of a TCP connection for tests. `serve PORT`: tells each client how many octets came, and how many of
 * them were zero. `drain PORT`: how many came, and in how many milliseconds, without looking at them. `send ADDRESS PORT OCTETS PATIENCE`: prints that answer, or why there is none after so many milliseconds.
 */
import { connect, createServer } from "node:net";

const [mode, ...rest] = process.argv.slice(2);

if (mode === "serve") {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let [octets, zeros] = [0, 0];
    socket.on("data", (chunk) => {
      octets += chunk.length;
      for (const octet of chunk) if (octet === 0) zeros++;
    });
    socket.on("end", () => socket.end(JSON.stringify({ octets, zeros })));
    socket.on("error", () => undefined);
  });
  server.listen(Number(rest[0]), "::", () => process.stdout.write("listening\n"));
} else if (mode === "drain") {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let [octets, start] = [0, 0];
    socket.on("data", (chunk) => {
      if (octets === 0) start = performance.now();
      octets += chunk.length;
    });
    socket.on("end", () => socket.end(JSON.stringify({ octets, milliseconds: performance.now() - start })));
    socket.on("error", () => undefined);
  });
  server.listen(Number(rest[0]), "::", () => process.stdout.write("listening\n"));
} else {
  const [address, port, octets, patienceMs] = rest;
  const socket = connect({ host: address, port: Number(port) });
  const finish = (answer) => {
    process.stdout.write(`${answer}\n`);
    process.exit(0);
  };
  socket.setTimeout(Number(patienceMs), () => finish(JSON.stringify({ error: "timeout" })));
  socket.on("error", (error) => finish(JSON.stringify({ error: error.code })));
  socket.on("connect", () => socket.end(Buffer.alloc(Number(octets), "A")));
  let answer = "";
  socket.on("data", (chunk) => (answer += chunk));
  socket.on("end", () => finish(answer));
}
