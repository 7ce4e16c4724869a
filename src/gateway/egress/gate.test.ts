import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { createEgressHouse, createOutside, ruleOf } from "../../../test/kit/attacks/egress.ts";

const HOST = "files.example.com";

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

test("what a person has to allow waits for that, and is looked up only then", async () => {
  const questions: string[] = [];
  await using house = await createEgressHouse({
    hosts: ["open.example.com", "both.example.com"],
    asks: ["ask.example.com"],
    // A repository has more asked for, and opens nothing by that.
    rulesOf: async () => ({
      rules: [],
      asks: [ruleOf("both.example.com"), ruleOf("closed.example.com")],
      fault: null,
    }),
    async mayReach(_sessionId, { host, port }) {
      questions.push(`${host}:${port}`);
      return await Promise.resolve("has been denied");
    },
  });
  const all = ["ask", "both", "closed"].map((name) => `${name}.example.com:443`);
  for (const target of all) expect((await house.tunnel(target)).status).toBe(403);
  expect(questions).toEqual(all.slice(0, 2));
  expect(house.asked).toEqual([]);
  expect(house.refusals().map(({ reason }) => reason)).toEqual([
    "has been denied",
    "has been denied",
    "is not on the list of allowed hosts",
  ]);
  await house.tunnel("open.example.com:443");
  expect(questions).toHaveLength(2);
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
