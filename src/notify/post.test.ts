import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { expect, test } from "vitest";
import { listenOnLoopback } from "../../test/kit/network/loopback.ts";
import { createTempDir } from "../../test/kit/temp-dir.ts";
import { createTlsFront, makeCertificate } from "../../test/kit/network/tls.ts";
import { createAddressCheck } from "../gateway/egress/addresses.ts";
import { createPost } from "./post.ts";

const NEVER = new AbortController().signal;

function postWith(options: {
  names?: Record<string, string[]>;
  ranges?: string[];
  hubPorts?: number[];
  timeoutMs?: number;
}) {
  const { names = {}, ranges = [], hubPorts = [], timeoutMs = 10_000 } = options;
  const post = createPost({
    lookup: (name) =>
      name in names
        ? Promise.resolve(names[name] ?? [])
        : Promise.reject(new Error(`${name} has no address`)),
    check: createAddressCheck({ ranges, hubPorts: () => new Set(hubPorts) }),
    timeoutMs,
  });
  return (url: string, listed = false) =>
    post({ url, listed, headers: { "webhook-id": "1" }, body: "{}" }, NEVER);
}

async function receiver(listener: RequestListener) {
  const asked: { path: string; body: string; id: string }[] = [];
  const server = await listenOnLoopback(
    createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (part: string) => (body += part));
      request.on("end", () => {
        const { url: path = "", headers } = request;
        asked.push({ path, body, id: String(headers["webhook-id"]) });
        listener(request, response);
      });
    }),
  );
  const port = Number(new URL(server.url).port);
  return { ...server, port, asked, [Symbol.asyncDispose]: server.close };
}

test("what is not public is not sent to, by address or by name, unless it was opened", async () => {
  await using inside = await receiver((_request, response) => response.writeHead(204).end());
  const { port } = inside;
  const names = {
    "inside.example": ["127.0.0.1"],
    // A name that leads to both would lead inside at the second look.
    "both.example": ["93.184.216.34", "127.0.0.1"],
  };
  const closed = postWith({ names });
  for (const host of [
    "127.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
    "inside.example",
    "both.example",
    "169.254.169.254",
  ])
    expect(await closed(`http://${host}:${port}/`)).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("not public"),
    });
  expect(inside.asked).toEqual([]);
  const opened = postWith({ names, ranges: ["127.0.0.0/8"] });
  expect(await opened(`http://inside.example:${port}/a?b=c`)).toMatchObject({ status: 204 });
  expect(await closed(`http://127.0.0.1:${port}/listed`, true)).toMatchObject({ status: 204 });
  expect(inside.asked).toEqual([
    { path: "/a?b=c", body: "{}", id: "1" },
    { path: "/listed", body: "{}", id: "1" },
  ]);
  // Not even an operator's own list leads to the hub.
  const ownPort = postWith({ ranges: ["127.0.0.0/8"], hubPorts: [port] });
  for (const listed of [false, true])
    expect(await ownPort(`http://127.0.0.1:${port}/`, listed)).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("the hub itself"),
    });
  expect(inside.asked).toHaveLength(2);
});

test("redirects are not followed, and a pause that is asked for is heard", async () => {
  await using there = await receiver((_request, response) => response.end());
  await using here = await receiver((request, response) => {
    if (request.url === "/moved") response.writeHead(307, { location: there.url }).end();
    else response.writeHead(429, { "retry-after": "7" }).end("x".repeat(1_000_000));
  });
  const post = postWith({ ranges: ["127.0.0.1"] });
  expect(await post(`${here.url}/moved`)).toMatchObject({ kind: "answered", status: 307 });
  expect(await post(here.url)).toMatchObject({ status: 429, retryAfterMs: 7_000 });
  expect(there.asked).toEqual([]);
});

test("who is silent, away, or has a certificate of his own is unreachable", async () => {
  await using silent = await receiver(() => undefined);
  const quick = postWith({ ranges: ["127.0.0.1"], timeoutMs: 300 });
  expect(await quick(silent.url)).toEqual({
    kind: "unreachable",
    reason: "no answer within 300 ms",
  });
  const gone = silent.url;
  await silent.close();
  const post = postWith({ names: { "in.example": ["127.0.0.1"] }, ranges: ["127.0.0.1"] });
  expect(await post(gone)).toMatchObject({ kind: "unreachable" });
  expect(await post("http://nowhere.example/")).toEqual({
    kind: "unreachable",
    reason: "nowhere.example has no address",
  });
  await using plain = await receiver((_request, response) => response.end());
  await using temp = await createTempDir("notices");
  const certificate = await makeCertificate(temp.path, "in.example");
  const to = { host: "127.0.0.1", port: plain.port };
  await using front = await createTlsFront({ certificate, address: "127.0.0.1", to });
  const answer = await post(`https://in.example:${front.port}/`);
  expect(answer).toMatchObject({
    kind: "unreachable",
    reason: expect.stringMatching(/certificate/),
  });
  expect(plain.asked).toEqual([]);
});
