import { once } from "node:events";
import { readdir, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import pino from "pino";
import { expect, test } from "vitest";
import { createTempDir } from "../../test/kit/temp-dir.ts";
import { gatewaySession } from "../../test/kit/hub/gateway-session.ts";
import { waitFor } from "../../test/kit/wait.ts";
import { HubError } from "../core/errors.ts";
import { newId } from "../core/id.ts";
import { createGateway } from "./server.ts";
import type { Door } from "./session.ts";

const session = gatewaySession();

function gatewayAt(socketPath: string, door: Door, lines: string[] = []) {
  return createGateway({
    address: { socketPath },
    authenticate: (token) =>
      Promise.resolve(token === "good" ? session : token === "old" ? "ended" : null),
    doors: new Map([["runner", door]]),
    log: pino({ level: "warn" }, { write: (line: string) => void lines.push(line) }),
    limits: { drainMs: 200 },
  });
}

async function ask(
  socketPath: string,
  path: string,
  authorization?: string,
): Promise<{ status: number; body: string; headers: IncomingMessage["headers"] }> {
  return await new Promise((resolve, reject) => {
    const headers = authorization === undefined ? {} : { authorization };
    const sent = request({ socketPath, path, headers, agent: false }, (res) => {
      let body = "";
      res.on("data", (chunk: Buffer) => (body += chunk.toString()));
      res.once("end", () => resolve({ status: res.statusCode ?? 0, body, headers: res.headers }));
      res.once("error", reject);
    });
    sent.once("error", reject);
    sent.end();
  });
}

test("authenticates, chooses the door, and maps errors", async () => {
  await using dir = await createTempDir("gateway");
  const socketPath = join(dir.path, "gateway", "hub.sock");
  const lines: string[] = [];
  const seen: string[] = [];
  await using gateway = gatewayAt(
    socketPath,
    (req, res, who) => {
      seen.push(who.sessionId);
      if (req.url === "/runner/conflict") throw new HubError("conflict", "Twice");
      if (req.url === "/runner/busy")
        throw new HubError("unavailable", "Busy", { retryAfterSeconds: 7 });
      if (req.url === "/runner/bug") throw new Error("secret detail");
      res.end("hello");
      return Promise.resolve();
    },
    lines,
  );
  await gateway.listen();
  expect(await readdir(join(dir.path, "gateway"))).toEqual(["hub.sock"]);
  // Any user may connect: the token decides.
  expect((await stat(socketPath)).mode & 0o777).toBe(0o666);

  const good = "Bearer good";
  expect(await ask(socketPath, "/runner/job", good)).toMatchObject({ status: 200, body: "hello" });
  for (const authorization of [undefined, "good", "Basic good", "Bearer bad", "Bearer good x"])
    expect((await ask(socketPath, "/runner/job", authorization)).status).toBe(401);
  expect((await ask(socketPath, "/runner/job", "Bearer old")).status).toBe(410);
  for (const path of [
    "/",
    "/other",
    "/runner%2f",
    "//runner/job",
    "/x/../runner/job",
    "/__proto__",
  ])
    expect((await ask(socketPath, path, good)).status).toBe(404);
  expect(await ask(socketPath, "/runner/conflict", good)).toMatchObject({
    status: 409,
    body: JSON.stringify({ error: "Twice", code: "conflict" }),
  });
  const busy = await ask(socketPath, "/runner/busy", good);
  expect([busy.status, busy.headers["retry-after"]]).toEqual([503, "7"]);
  const bug = await ask(socketPath, "/runner/bug", good);
  expect(bug.status).toBe(500);
  expect(bug.body).not.toContain("secret detail");
  const reference = /"reference":"([\w-]+)"/.exec(bug.body)?.[1] ?? "none";
  expect(lines.filter((line) => line.includes(reference))).toHaveLength(1);
  expect(new Set(seen)).toEqual(new Set([session.sessionId]));
});

const hello: Door = (_req, res) => {
  res.end("hello");
  return Promise.resolve();
};

test("takes over a dead hub's socket, and never a living one's", async () => {
  await using dir = await createTempDir("gateway");
  const socketPath = join(dir.path, "hub.sock");
  await writeFile(socketPath, "");
  await using first = gatewayAt(socketPath, hello);
  await first.listen();
  await using second = gatewayAt(socketPath, hello);
  await expect(second.listen()).rejects.toThrow("another hub is listening");
  expect((await ask(socketPath, "/runner/x", "Bearer good")).status).toBe(200);
  await first.close();
  expect(await readdir(dir.path)).toEqual([]);
  await using third = gatewayAt(socketPath, hello);
  await third.listen();
  expect((await ask(socketPath, "/runner/x", "Bearer good")).status).toBe(200);
});

test("a path too long for a socket is refused in one sentence", async () => {
  await using dir = await createTempDir("gateway");
  await using gateway = gatewayAt(join(dir.path, "x".repeat(100), "hub.sock"), () =>
    Promise.resolve(),
  );
  await expect(gateway.listen()).rejects.toThrow("choose a shorter data directory");
});

test("close lets a running answer finish, and cuts one that does not", async () => {
  await using dir = await createTempDir("gateway");
  const socketPath = join(dir.path, "hub.sock");
  const started = Promise.withResolvers<() => void>();
  await using gateway = gatewayAt(socketPath, (_req, res) => {
    started.resolve(() => res.end("late"));
    return Promise.resolve();
  });
  await gateway.listen();
  const answered = ask(socketPath, "/runner/slow", "Bearer good");
  const finish = await started.promise;
  const closed = gateway.close();
  finish();
  expect(await answered).toMatchObject({ status: 200, body: "late" });
  await closed;

  await using stuck = gatewayAt(socketPath, () => new Promise(() => undefined));
  await stuck.listen();
  const cut = ask(socketPath, "/runner/never", "Bearer good").catch((error: unknown) => error);
  const socket = connect(socketPath).on("error", () => undefined);
  await once(socket, "connect");
  await stuck.close();
  expect(await cut).toBeInstanceOf(Error);
  socket.destroy();
});

test("one session's connections are bounded, and silent ones push out only each other", async () => {
  await using dir = await createTempDir("gateway");
  const socketPath = join(dir.path, "hub.sock");
  const other = { ...session, sessionId: newId() };
  const held: (() => void)[] = [];
  await using gateway = createGateway({
    address: { socketPath },
    authenticate: (token) => Promise.resolve(token === "good" ? session : other),
    doors: new Map<string, Door>([
      [
        "held",
        (_req, res) => new Promise((resolve) => held.push(() => resolve(void res.end("held")))),
      ],
      ["runner", hello],
    ]),
    log: pino({ level: "silent" }),
    limits: { maxSessionConnections: 2, maxUnnamedConnections: 5, drainMs: 200 },
  });
  await gateway.listen();
  const first = [1, 2].map(() => ask(socketPath, "/held/x", "Bearer good"));
  await waitFor(() => held.length === 2);
  expect((await ask(socketPath, "/runner/x", "Bearer good")).status).toBe(429);
  expect((await ask(socketPath, "/runner/x", "Bearer other")).status).toBe(200);

  const silent = Array.from({ length: 20 }, () => connect(socketPath).on("error", () => undefined));
  await waitFor(() => silent.filter(({ closed }) => closed).length === 15);
  expect((await ask(socketPath, "/runner/x", "Bearer other")).status).toBe(200);
  for (const finish of held) finish();
  expect((await Promise.all(first)).map(({ body }) => body)).toEqual(["held", "held"]);
  // What has ended has given its place back.
  await waitFor(async () => (await ask(socketPath, "/runner/x", "Bearer good")).status === 200);
  for (const socket of silent) socket.destroy();
});
