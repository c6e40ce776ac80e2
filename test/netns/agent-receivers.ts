/**
 * A dashboard's endpoint and a mail server in a network namespace, for a process of the test: what comes is printed, a
 * JSON object a line, before it is answered. `agent-receivers.ts HTTP-PORT SMTP-PORT`
 */
import { createServer } from "node:http";
import { SMTPServer } from "smtp-server";
import { readMail } from "../support/receivers/mail-receiver.ts";

const [httpPort, smtpPort] = process.argv.slice(2).map(Number);

function tell(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  request.on("end", () => {
    const { url, headers } = request;
    tell({ url, authorization: headers.authorization, body: Buffer.concat(pieces).toString() });
    response.writeHead(204).end();
  });
}).listen(httpPort, "127.0.0.1", () => {
  const mail = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH"],
    logger: false,
    onData(stream, _session, done) {
      const parts: Buffer[] = [];
      stream.on("data", (piece: Buffer) => parts.push(piece));
      stream.on("end", () => {
        const { headers, body } = readMail(Buffer.concat(parts).toString("latin1"));
        tell({ subject: headers.get("subject")?.[0], mail: body });
        done();
      });
    },
  });
  mail.listen(smtpPort, "127.0.0.1", () => tell({ listening: true }));
});
