import { once } from "node:events";
import { request } from "node:http";
import type { IncomingMessage, RequestListener } from "node:http";
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createEgressHouse, createOutside } from "../../../test/kit/attacks/egress.ts";

const HOST = "files.example.com";
const MEGABYTE = Buffer.alloc(1_048_576, "m");

async function way(listener: RequestListener) {
  const outside = await createOutside(listener);
  const at = `${HOST}:${outside.port}`;
  const house = await createEgressHouse({ hosts: [at], dns: { [HOST]: [outside.address] } });
  return {
    at,
    house,
    /** Sends a plain request as a client of a proxy does. */
    async send(
      path: string,
      more: { method?: string; headers?: Record<string, string>; body?: Buffer[] } = {},
    ) {
      const asking = request({
        host: "127.0.0.1",
        port: house.port,
        path: `http://${at}${path}`,
        method: more.method ?? "GET",
        headers: { host: at, "proxy-authorization": "Bearer good", ...more.headers },
        agent: false,
      });
      const answered = new Promise<IncomingMessage>((resolve, reject) => {
        asking.once("response", resolve);
        asking.once("error", reject);
      });
      for (const piece of more.body ?? []) asking.write(piece);
      asking.end();
      const answer = await answered;
      const hash = createHash("sha256");
      let size = 0;
      answer.on("data", (chunk: Buffer) => {
        size += chunk.length;
        hash.update(chunk);
      });
      await once(answer, "end");
      return { status: answer.statusCode, headers: answer.headers, size, sha: hash.digest("hex") };
    },
    async [Symbol.asyncDispose]() {
      await house[Symbol.asyncDispose]();
      await outside[Symbol.asyncDispose]();
    },
  };
}

test("bodies pass as they are, both ways, with a length or in chunks", async () => {
  await using at = await way((req, res) => {
    res.writeHead(200, { "x-framing": req.headers["transfer-encoding"] ?? "length" });
    req.pipe(res);
  });
  const body = Array.from({ length: 20 }, () => MEGABYTE);
  const sha = createHash("sha256").update(Buffer.concat(body)).digest("hex");
  const chunked = await at.send("/", { method: "PUT", body });
  expect(chunked).toMatchObject({ status: 200, size: 20 * MEGABYTE.length, sha });
  expect(chunked.headers["x-framing"]).toBe("chunked");
  const headers = { "content-length": String(20 * MEGABYTE.length) };
  const whole = await at.send("/", { method: "PUT", body, headers });
  expect(whole).toMatchObject({ status: 200, size: 20 * MEGABYTE.length, sha });
  expect(whole.headers["x-framing"]).toBe("length");
  // Some clients give a body to a request that has none by nature.
  const odd = await at.send("/", {
    method: "DELETE",
    body: [MEGABYTE],
    headers: { "transfer-encoding": "chunked" },
  });
  expect(odd).toMatchObject({ status: 200, size: MEGABYTE.length });
});

test("answers without a body, interim ones and what is for one hop are understood", async () => {
  await using at = await way((req, res) => {
    if (req.url === "/interim") res.writeEarlyHints({ link: "</a>; rel=preload" });
    if (req.url === "/none") res.writeHead(204).end();
    else if (req.url === "/same") res.writeHead(304, { etag: "x" }).end();
    else
      res
        .writeHead(200, {
          "content-length": "5",
          connection: "close, x-hop",
          "x-hop": "1",
          "proxy-authenticate": "Basic",
          "keep-alive": "timeout=9",
        })
        .end("hello");
  });
  expect(await at.send("/x", { method: "HEAD" })).toMatchObject({
    status: 200,
    size: 0,
    headers: { "content-length": "5" },
  });
  expect(await at.send("/none")).toMatchObject({ status: 204, size: 0 });
  expect(await at.send("/same")).toMatchObject({ status: 304, size: 0, headers: { etag: "x" } });
  const { headers, ...rest } = await at.send("/interim");
  expect(rest).toMatchObject({ status: 200, size: 5 });
  expect(Object.keys(headers).toSorted()).toEqual(["connection", "content-length", "date"]);
});

test("an answer that comes before the request was read is passed on; one that breaks off is seen to", async () => {
  await using at = await way((req, res) => {
    if (req.method === "POST") res.writeHead(413, { connection: "close" }).end("too large");
    else {
      res.writeHead(200, { "content-length": "1000" }).write("half");
      setImmediate(() => res.destroy());
    }
  });
  const early = await at.send("/", {
    method: "POST",
    headers: { "content-length": "9" },
    body: [Buffer.from("123456789")],
  });
  expect(early.status).toBe(413);
  await expect(at.send("/")).rejects.toThrow(/aborted|socket hang up/);
});
