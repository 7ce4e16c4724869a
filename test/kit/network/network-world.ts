// The rest of the world, in a network namespace of its own: a public host, a metadata service, a private server and a
// DNS server. Prints a line of JSON for whatever reaches it; ends with its standard input.
import { createSocket } from "node:dgram";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { WORLD } from "./network.ts";

const GIGABYTE = 1_073_741_824;

/** What a name leads to; of several answers each is given in its turn. */
const NAMES: Record<string, string[]> = {
  "public.example": [WORLD.public],
  "files.wide.example": [WORLD.public],
  "metadata.example": [WORLD.metadata],
  "private.example": [WORLD.private],
  "hub.example": ["127.0.0.1"],
  "machine.example": ["198.18.0.1"],
  "rebinding.example": [WORLD.public, WORLD.private, WORLD.metadata],
};
const asked = new Map<string, number>();

for (const [place, address] of Object.entries(WORLD)) {
  if (place === "gateway") continue;
  for (const port of [80, 443])
    createServer((req, res) => serve(place, req, res)).listen(port, address);
}

const dns = createSocket("udp4");
dns.on("message", (message, from) => dns.send(reply(message), from.port, from.address));
dns.bind(53, WORLD.gateway, () => tell({ ready: true }));
process.stdin.resume().once("end", () => process.exit(0));

function serve(place: string, req: IncomingMessage, res: ServerResponse): void {
  tell({ reached: place, request: `${req.method} ${req.url}` });
  res.on("error", () => undefined);
  if (req.url === "/gigabyte") sendGigabyte(res);
  else if (req.url === "/swallow") req.resume().once("end", () => res.end("swallowed\n"));
  else if (req.url === "/hold") res.writeHead(200).flushHeaders();
  else res.end(`this is the ${place} host\n`);
}

function sendGigabyte(res: ServerResponse): void {
  const piece = Buffer.alloc(1_048_576);
  let left = GIGABYTE / piece.length;
  res.writeHead(200, { "content-length": GIGABYTE });
  const more = () => {
    while (left > 0 && !res.destroyed) {
      left -= 1;
      if (!res.write(piece)) return;
    }
    if (left === 0) res.end();
  };
  res.on("drain", more);
  res.on("close", () => tell({ sentMegabytes: GIGABYTE / piece.length - left }));
  more();
}

/** Source of the format: RFC 1035, section 4. */
function reply(query: Buffer): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let size = query[at] ?? 0; size > 0; size = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + size));
    at += 1 + size;
  }
  const isA = query.readUInt16BE(at + 1) === 1;
  const name = labels.join(".").toLowerCase();
  tell({ name, type: isA ? "A" : "other" });
  const addresses = NAMES[name];
  const turn = asked.get(name) ?? 0;
  if (isA) asked.set(name, turn + 1);
  const address = isA ? addresses?.[turn % addresses.length] : undefined;
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(addresses === undefined ? 0x8183 : 0x8180, 2);
  head.writeUInt16BE(address === undefined ? 0 : 1, 6);
  head.fill(0, 8);
  const question = query.subarray(12, at + 5);
  if (address === undefined) return Buffer.concat([head, question]);
  const answer = Buffer.from([
    0xc0,
    12,
    0,
    1,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    4,
    ...address.split(".").map(Number),
  ]);
  return Buffer.concat([head, question, answer]);
}

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
