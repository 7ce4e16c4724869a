import { Readable } from "node:stream";
import { linesOf } from "../../client/lines.ts";
import { bridgeMcp } from "../../client/mcp-bridge.ts";
import type { ConnectionOptions } from "../commands/options.ts";
import { access } from "./connect.ts";

/** Between a client on standard input and output, and the hub. */
export async function runMcp(options: ConnectionOptions): Promise<void> {
  const { url, token } = await access(options);
  await bridgeMcp({
    url,
    token,
    lines: linesOf(Readable.toWeb(process.stdin, { strategy: { highWaterMark: 1 } })),
    write: (message) => void process.stdout.write(`${message}\n`),
  });
}
