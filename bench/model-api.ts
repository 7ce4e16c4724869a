// A model that answers at once: a short stream, or as many megabytes of one as the body's max_tokens says.
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";

const CHUNK_BYTES = 65_536;
const DELTA_CHARS = 4_000;

const event = (body: { type: string; [field: string]: unknown }) =>
  `event: ${body.type}\ndata: ${JSON.stringify(body)}\n\n`;
const usage = { input_tokens: 10, output_tokens: 1 };
const start = event({
  type: "message_start",
  message: { model: "claude-sonnet-4-5", usage },
});
const delta = (chars: number) =>
  event({
    type: "content_block_delta",
    index: 0,
    delta: { type: "text_delta", text: "x".repeat(chars) },
  });
const end = event({ type: "message_delta", delta: {}, usage });
const piece = Buffer.from(delta(DELTA_CHARS).repeat(Math.floor(CHUNK_BYTES / DELTA_CHARS)));

const server = createServer((req, res) => {
  let body = "";
  req.setEncoding("utf8").on("data", (text: string) => (body += text));
  req.on("end", () => {
    const megabytes = Number(/"max_tokens":(\d+)/.exec(body)?.[1] ?? 0);
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write(start);
    void fill(res, megabytes * 1_048_576);
  });
});

async function fill(res: ServerResponse, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes && !res.destroyed; sent += piece.length)
    if (!res.write(piece)) await new Promise((resolve) => res.once("drain", resolve));
  res.end(end);
}

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object")
    process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
