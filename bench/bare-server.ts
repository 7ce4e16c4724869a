// The least that a webhook server can do: read, check the signature, parse, answer. Nothing is kept.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const secret = process.argv[2] ?? "";

const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", () => {
    const body = Buffer.concat(chunks);
    const shown = Buffer.from(String(req.headers["x-hub-signature-256"]));
    const right = Buffer.from(`sha256=${createHmac("sha256", secret).update(body).digest("hex")}`);
    JSON.parse(body.toString("utf8"));
    const isRight = shown.length === right.length && timingSafeEqual(shown, right);
    res.writeHead(isRight ? 200 : 401, { "content-type": "application/json" });
    res.end('{"success":true}');
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object")
    process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
