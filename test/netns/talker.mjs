/**
 * One end of a TCP connection for tests, which speaks when it is told to. `listen PORT` or `connect ADDRESS PORT`. Words on
 * its standard input: `send OCTETS`, `tick [MS]` (an octet every 20 ms), `finish`, `reset`. It prints `listening`, `open`,
 * `octets N` once the other side has finished, `closed`.
 */
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const [mode, ...rest] = process.argv.slice(2);
const sockets = new Set();

function take(socket) {
  sockets.add(socket);
  let octets = 0;
  socket.setNoDelay(true);
  socket.on("data", (chunk) => (octets += chunk.length));
  socket.on("end", () => process.stdout.write(`octets ${octets}\n`));
  socket.on("error", (error) => process.stdout.write(`error ${error.code}\n`));
  socket.on("close", () => process.stdout.write("closed\n"));
}

if (mode === "listen") {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    process.stdout.write("open\n");
    take(socket);
  });
  server.listen(Number(rest[0]), "::", () => process.stdout.write("listening\n"));
} else {
  const socket = connect({ host: rest[0], port: Number(rest[1]), allowHalfOpen: true });
  take(socket);
  socket.on("connect", () => process.stdout.write("open\n"));
}

const words = {
  send: (octets) => sockets.forEach((socket) => socket.write(Buffer.alloc(Number(octets), "A"))),
  tick: (milliseconds) =>
    setInterval(() => sockets.forEach((socket) => socket.write("A")), Number(milliseconds ?? 20)),
  finish: () => sockets.forEach((socket) => socket.end()),
  reset: () => sockets.forEach((socket) => socket.resetAndDestroy()),
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const [word, argument] = line.split(" ");
  words[word](argument);
});
