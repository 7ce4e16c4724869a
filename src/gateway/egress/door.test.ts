import { gatewaySession } from "../../../test/kit/hub/gateway-session.ts";
import { once } from "node:events";
import { expect, test } from "vitest";
import { createEgressHouse, createOutside } from "../../../test/kit/attacks/egress.ts";
import { waitFor } from "../../../test/kit/wait.ts";

const HOST = "files.example.com";

test("a tunnel and a plain request reach a listed host, and are told", async () => {
  await using outside = await createOutside((req, res) => {
    let body = "";
    req.on("data", (chunk: Buffer) => (body += chunk.toString()));
    req.on("end", () => {
      res.setHeader("set-cookie", ["a=1", "b=2"]);
      res.end(JSON.stringify({ line: `${req.method} ${req.url}`, headers: req.headers, body }));
    });
  });
  await using house = await createEgressHouse({
    hosts: [`${HOST}:${outside.port}`],
    dns: { [HOST]: [outside.address] },
  });
  const at = `${HOST}:${outside.port}`;
  const { status, socket } = await house.tunnel(at);
  expect(status).toBe(200);
  socket.end(`GET /x HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  expect(text).toContain('"line":"GET /x"');

  const plain = await house.raw(
    `POST http://${at}/y?q=1 HTTP/1.1\r\nHost: ${at}\r\nProxy-Authorization: TOKEN\r\nAuthorization: Basic own\r\n` +
      `Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 1\r\nTE: trailers\r\nX-Kept: yes\r\nProxy-Connection: close\r\n` +
      `Content-Length: 5\r\n\r\nhello`,
  );
  expect(plain.status).toBe(200);
  expect(plain.text).toMatch(/set-cookie: a=1\r\nset-cookie: b=2/i);
  const seen: unknown = JSON.parse(/\{"line.*\}/.exec(plain.text)?.[0] ?? "{}");
  // The session's token is the gateway's alone; what the program says to the host is not.
  expect(seen).toEqual({
    line: "POST /y?q=1",
    headers: {
      host: at,
      authorization: "Basic own",
      "x-kept": "yes",
      "content-length": "5",
      connection: "close",
    },
    body: "hello",
  });
  expect(house.told.map(({ kind, body }) => [kind, body])).toEqual([
    ["egress.allowed", { host: HOST, port: outside.port, count: 1 }],
  ]);
});

test("nobody passes without a living session's token", async () => {
  await using outside = await createOutside((_req, res) => res.end("reached"));
  const at = `${HOST}:${outside.port}`;
  await using house = await createEgressHouse({ hosts: [at], dns: { [HOST]: [outside.address] } });
  house.tokens.set("old", "ended");
  for (const [token, status] of [
    ["bad", 407],
    ["old", 410],
  ] as const) {
    expect((await house.tunnel(at, token)).status).toBe(status);
    const head = `Host: ${at}\r\nProxy-Authorization: TOKEN\r\n\r\n`;
    expect((await house.raw(`GET http://${at}/ HTTP/1.1\r\n${head}`, token)).status).toBe(status);
  }
  // The token of the other doors' header does not open this one.
  const other = `GET http://${at}/ HTTP/1.1\r\nHost: ${at}\r\nAuthorization: TOKEN\r\n\r\n`;
  expect((await house.raw(other)).status).toBe(407);
  expect((await house.raw(`CONNECT ${at} HTTP/1.1\r\nHost: ${at}\r\n\r\n`)).status).toBe(407);
  expect(outside.connections()).toBe(0);
  expect(house.asked).toEqual([]);
});

test("connections at once are bounded, of a session and in all; what ends gives its place back", async () => {
  await using outside = await createOutside((_req, res) => res.end("reached"));
  const at = `${HOST}:${outside.port}`;
  await using house = await createEgressHouse({
    hosts: [at],
    dns: { [HOST]: [outside.address] },
    limits: { sessionConnections: 3, connections: 4 },
  });
  house.tokens.set("other", gatewaySession());
  const open = await Promise.all([1, 2, 3].map(() => house.tunnel(at)));
  expect(open.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect((await house.tunnel(at)).status).toBe(429);
  const others = [await house.tunnel(at, "other"), await house.tunnel(at, "other")];
  expect(others.map(({ status }) => status)).toEqual([200, 429]);
  expect(house.refusals().map(({ reason }) => reason)).toEqual([
    "would be one connection too many of this session",
    "would be one connection too many of the hub",
  ]);
  for (const { socket } of [...open, ...others]) socket.destroy();
  await waitFor(async () => {
    const again = await house.tunnel(at);
    again.socket.destroy();
    return again.status === 200;
  });
});

test("bytes are bounded in each direction: what is beyond is cut, told, and no more passes", async () => {
  await using outside = await createOutside((req, res) => {
    if (req.method === "POST") {
      req.resume();
      req.on("end", () => res.end("all of it"));
      return;
    }
    const piece = Buffer.alloc(65_536);
    const more = () => {
      while (!res.destroyed && res.write(piece));
    };
    res.on("drain", more);
    more();
  });
  const at = `${HOST}:${outside.port}`;
  await using house = await createEgressHouse({
    hosts: [at],
    dns: { [HOST]: [outside.address] },
    limits: { receiveBytes: 1_000_000, sendBytes: 100_000 },
  });
  house.tokens.set("other", gatewaySession());
  const head = (what: string) =>
    `${what} http://${at}/ HTTP/1.1\r\nHost: ${at}\r\nProxy-Authorization: TOKEN\r\n`;
  const received = await house.raw(`${head("GET")}\r\n`);
  expect(received.status).toBe(200);
  expect(received.text.length).toBeGreaterThan(500_000);
  expect(received.text.length).toBeLessThan(1_100_000);
  expect((await house.raw(`${head("GET")}\r\n`)).status).toBe(403);
  expect((await house.tunnel(at)).status).toBe(403);
  // Another session has bytes of its own.
  const sent = await house.raw(
    `${head("POST")}Content-Length: 200000\r\n\r\n${"x".repeat(200_000)}`,
    "other",
  );
  expect(sent.text).not.toContain("all of it");
  const { reason } = house.refusals()[0] ?? {};
  expect(reason).toBe("was cut off, for the session has had as many bytes as it may");
});

test("a flood of refusals leaves a few events", async () => {
  await using house = await createEgressHouse();
  for (let at = 0; at < 300; at += 1) await house.tunnel("evil.example:443");
  expect(house.refusals().map(({ count }) => count)).toEqual([1, 10, 100]);
  for (let at = 0; at < 300; at += 1) await house.tunnel(`evil-${at}.example:443`);
  expect(house.refusals().length).toBeLessThan(110);
  expect(house.refusals().at(-1)).toMatchObject({ host: "other hosts", count: 100 });
});

test("what a session has open ends with it, and silence ends a connection", async () => {
  await using outside = await createOutside(() => undefined);
  const at = `${HOST}:${outside.port}`;
  const ended = new Set<string>();
  await using house = await createEgressHouse({
    hosts: [at],
    dns: { [HOST]: [outside.address] },
    limits: { idleMs: 300 },
    hasEnded: (id) => Promise.resolve(ended.has(id)),
  });
  const silent = await house.tunnel(at);
  await once(silent.socket.resume(), "close");
  expect(silent.status).toBe(200);

  const over = await house.tunnel(at);
  ended.add(house.session.sessionId);
  await once(over.socket.resume(), "close");
  expect(over.status).toBe(200);
});

test("a host that is away, slow or out of its mind is told apart from one that is refused", async () => {
  await using outside = await createOutside((req, res) => {
    if (req.url === "/large") res.setHeader("x-large", "y".repeat(40_000)).end();
    else if (req.url === "/switch")
      res.socket?.end(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello",
      );
    else res.socket?.end("nonsense\r\n\r\n");
  });
  const at = `${HOST}:${outside.port}`;
  await using house = await createEgressHouse({
    hosts: [at, "gone.example:9", "slow.example", "nowhere.example"],
    dns: {
      [HOST]: [outside.address],
      "gone.example": ["127.77.0.9"],
      "slow.example": () => new Promise<string[]>(() => undefined),
    },
    limits: { connectMs: 300 },
  });
  for (const target of ["gone.example:9", "slow.example:443", "nowhere.example:443"])
    expect((await house.tunnel(target)).status).toBe(502);
  for (const path of ["/large", "/switch", "/nonsense"]) {
    const head = `GET http://${at}${path} HTTP/1.1\r\nHost: ${at}\r\nProxy-Authorization: TOKEN\r\n\r\n`;
    expect([path, (await house.raw(head)).status]).toEqual([path, 502]);
  }
  expect(house.refusals()).toEqual([]);
  // Nothing of it is the operator's to mend.
  expect(house.lines.filter((line) => /"level":[45]0/.test(line))).toEqual([]);
});
