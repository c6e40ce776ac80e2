/** The least that a program on npm's pcap-parser can do: count packets. */
import { parse } from "pcap-parser";

const path = process.argv[2];
if (path === undefined) throw new Error("usage: pcap-parser-loop CAPTURE");
let packets = 0;
parse(path)
  .on("packet", () => {
    packets++;
  })
  .on("end", () => {
    process.stdout.write(`${packets}\n`);
  });
