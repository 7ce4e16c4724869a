import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { createEgressHouse, createOutside, egressSession } from "../../../test/kit/egress.ts";
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

test("what is not listed is refused before DNS is asked, and told", async () => {
  await using house = await createEgressHouse({
    hosts: [HOST, "*.wide.example"],
    dns: { "secret-data.evil.example": ["127.77.0.1"] },
  });
  for (const target of [
    "secret-data.evil.example:443",
    `sub.${HOST}:443`,
    `${HOST}.evil.example:443`,
    `x${HOST}:443`,
    "wide.example:443",
    "evilwide.example:443",
    `${HOST}:22`,
    "127.77.0.1:443",
    "[::1]:443",
    "localhost:443",
  ])
    expect((await house.tunnel(target)).status).toBe(403);
  expect(house.asked).toEqual([]);
  expect(house.refusals()).toHaveLength(10);
  expect(house.refusals()[0]).toEqual({
    host: "secret-data.evil.example",
    port: 443,
    reason: "is not on the list of allowed hosts",
    count: 1,
  });
});

test("other spellings of a name are the same name, or none", async () => {
  await using outside = await createOutside((_req, res) => res.end("reached"));
  await using house = await createEgressHouse({
    hosts: [`*.example.com:${outside.port}`, `bücher.example:${outside.port}`],
    dns: { [HOST]: [outside.address], "xn--bcher-kva.example": [outside.address] },
  });
  const ask = (authority: string) =>
    house.raw(
      Buffer.from(
        `CONNECT ${authority}:${outside.port} HTTP/1.1\r\nHost: ${authority}:${outside.port}\r\nProxy-Authorization: TOKEN\r\n\r\n`,
      ).toString("latin1"),
    );
  for (const same of ["FILES.Example.COM", `${HOST}.`, "XN--bcher-kva.example"]) {
    const { status, socket } = await house.tunnel(`${same}:${outside.port}`);
    socket.destroy();
    expect([same, status]).toEqual([same, 200]);
  }
  for (const other of [
    "evil.test\0.example.com",
    "evil.test%00.example.com",
    "evil.test\\.example.com",
    "evil.test#.example.com",
    "evil.test/.example.com",
    "user@files.example.com",
    "evil.test:443@files.example.com",
    "files..example.com",
    `${HOST}..`,
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "１２７.0.0.1",
    "127.0.0.1.",
    "[::1%25lo].example.com",
    `${"a".repeat(64)}.example.com`,
    `${"a.".repeat(130)}example.com`,
  ]) {
    const { status } = await ask(other);
    expect([other, [400, 403].includes(status)]).toEqual([other, true]);
  }
  expect(new Set(house.asked)).toEqual(new Set([HOST, "xn--bcher-kva.example"]));
});

test("a name that leads to a place that is not public is refused, whatever its other addresses are", async () => {
  const places = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.1.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "2001:0:1::5601:5601",
  ];
  let next: string[] = [];
  await using house = await createEgressHouse({ hosts: [HOST], dns: { [HOST]: () => next } });
  for (const place of places)
    for (const answers of [[place], ["93.184.216.34", place]]) {
      next = answers;
      const refused = await house.tunnel(`${HOST}:443`);
      expect([place, refused.status]).toEqual([place, 403]);
      expect(refused.text).toContain("has an address that is not public");
    }
});

test("the address that was checked is the one that is connected to: nothing is looked up twice", async () => {
  await using outside = await createOutside((_req, res) => res.end("the checked one"));
  await using inside = await createOutside(
    (_req, res) => res.end("another"),
    "127.78.0.1",
    outside.port,
  );
  let asked = 0;
  const at = `${HOST}:${outside.port}`;
  await using house = await createEgressHouse({
    hosts: [at],
    dns: { [HOST]: () => [(asked += 1) === 1 ? outside.address : inside.address] },
  });
  const head = `GET http://${at}/ HTTP/1.1\r\nHost: ${at}\r\nProxy-Authorization: TOKEN\r\n\r\n`;
  expect((await house.raw(head)).text).toContain("the checked one");
  expect(asked).toBe(1);
  // The second answer is checked like the first.
  expect((await house.raw(head)).status).toBe(403);
  expect(inside.connections()).toBe(0);
});

test("an address passes only when it is listed as it is, and the hub's own ports never do", async () => {
  await using outside = await createOutside((_req, res) => res.end("reached"));
  const hub = createServer().listen(0, "127.77.0.2");
  await once(hub, "listening");
  const bound = hub.address();
  const hubPort = bound !== null && typeof bound === "object" ? bound.port : 0;
  await using house = await createEgressHouse({
    hosts: [`${outside.address}:${outside.port}`, `127.77.0.2:${hubPort}`, `${HOST}:${hubPort}`],
    dns: { [HOST]: ["127.77.0.2"] },
    ranges: ["127.0.0.0/8"],
    hubPorts: [hubPort],
  });
  const { status, socket } = await house.tunnel(`${outside.address}:${outside.port}`);
  socket.destroy();
  expect(status).toBe(200);
  for (const host of ["127.77.0.2", HOST]) {
    const refused = await house.tunnel(`${host}:${hubPort}`);
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining("hub itself")]);
  }
  hub.close();
});

test("requests that could be read in two ways are not passed on", async () => {
  const lines: string[] = [];
  await using outside = await createOutside((req, res) => {
    lines.push(`${req.method} ${req.url}`);
    req.resume();
    res.end("ok");
  });
  const at = `${HOST}:${outside.port}`;
  await using house = await createEgressHouse({ hosts: [at], dns: { [HOST]: [outside.address] } });
  const send = (head: string, body = "", first = `POST http://${at}/ok HTTP/1.1`) =>
    house.raw(`${first}\r\nHost: ${at}\r\nProxy-Authorization: TOKEN\r\n${head}\r\n${body}`);
  const hidden = `GET /hidden HTTP/1.1\r\nHost: ${at}\r\n\r\n`;
  for (const [head, body] of [
    ["Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${hidden}`],
    ["Content-Length: 5\r\nContent-Length: 50\r\n", hidden],
    ["Content-Length: 5\r\nContent-Length: 5\r\n", hidden],
    ["Content-Length: +5\r\n", hidden],
    ["Transfer-Encoding: chunked, identity\r\n", `0\r\n\r\n${hidden}`],
    ["Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${hidden}`],
    ["Transfer-Encoding : chunked\r\n", `0\r\n\r\n${hidden}`],
    ["X: y\n\tContent-Length: 4\r\n", hidden],
    [`Host: other.example\r\n`, ""],
  ] as const)
    expect([head, (await send(head, body)).status]).toEqual([
      head,
      expect.toSatisfy((status: number) => [400, 403, 501].includes(status)),
    ]);
  for (const first of [
    `GET http://${at}/ok HTTP/1.1\r\nHost: other.example\r\nX: y`,
    `GET https://${at}/ok HTTP/1.1`,
    `GET ftp://${at}/ok HTTP/1.1`,
    `GET http://user@${at}/ok HTTP/1.1`,
    `GET http://${at}\\@evil.example/ok HTTP/1.1`,
    `GET http:/${at}/ok HTTP/1.1`,
    `GET http://${at}/ok#x HTTP/1.1`,
  ])
    expect([first, (await send("", "", first)).status]).toEqual([
      first,
      expect.toSatisfy((status: number) => [400, 403].includes(status)),
    ]);
  expect(lines.filter((line) => line !== "POST /ok")).toEqual([]);
  // A second request behind the first has to show its own token, and never shares a connection.
  const before = outside.connections();
  const two = await send("Content-Length: 0\r\n", hidden);
  expect(two.text.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
  expect(lines).not.toContain("GET /hidden");
  expect(outside.connections()).toBe(before + 1);
});

test("connections at once are bounded, of a session and in all; what ends gives its place back", async () => {
  await using outside = await createOutside((_req, res) => res.end("reached"));
  const at = `${HOST}:${outside.port}`;
  await using house = await createEgressHouse({
    hosts: [at],
    dns: { [HOST]: [outside.address] },
    limits: { sessionConnections: 3, connections: 4 },
  });
  house.tokens.set("other", egressSession());
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
  house.tokens.set("other", egressSession());
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

  const over = await house.tunnel(at);
  ended.add(house.session.sessionId);
  await once(over.socket.resume(), "close");
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
