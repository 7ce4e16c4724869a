import { connect } from "node:net";
import { expect, test } from "vitest";
import { createEventLog } from "../../../test/kit/hub/event-log.ts";
import { startHttp, TOKEN } from "../../../test/kit/hub/http.ts";
import { waitFor } from "../../../test/kit/wait.ts";

const fails = () => Promise.reject(new Error("table of secrets"));
const SSE = { accept: "text/event-stream" };

test("the log so far is one event a line, from any place on", async () => {
  const log = createEventLog();
  await using http = await startHttp({ deps: log.deps });
  const location = await http.session();
  for (let count = 0; count < 1_200; count += 1) log.append("message.written", { text: "ä\n" });
  const read = async (query: string) =>
    (await (await http.fetch(`${location}/events${query}`)).text()).split("\n").filter(Boolean);
  expect(await read("")).toHaveLength(1_200);
  const [first = ""] = await read("?after=1199");
  expect(JSON.parse(first)).toMatchObject({ seq: 1_200, body: { text: "ä\n" } });
  expect(await read("?after=1200")).toEqual([]);
});

test("a stream goes on after the last event that was seen, and ends with the session", async () => {
  const log = createEventLog();
  await using http = await startHttp({ deps: log.deps });
  const location = await http.session();
  log.append("session.created");
  log.append("message.written");
  const answer = await http.fetch(`${location}/events?after=0`, {
    headers: { ...SSE, "last-event-id": "1" },
  });
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  log.append("session.completed");
  const text = await answer.text();
  expect([...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id)).toEqual(["2", "3"]);
  // A browser would come back for ever; 204 tells it not to.
  const again = await http.fetch(`${location}/events`, {
    headers: { ...SSE, "last-event-id": "3" },
  });
  expect(again.status).toBe(204);
});

test("a silent stream shows that it lives", async () => {
  const log = createEventLog();
  await using http = await startHttp({ deps: log.deps, settings: { sseHeartbeatMs: 20 } });
  const gone = new AbortController();
  const answer = await http.fetch(`${await http.session()}/events`, {
    headers: SSE,
    signal: gone.signal,
  });
  let text = "";
  for await (const part of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    if (text.split(": still here\n\n").length > 3) break;
  }
  gone.abort();
  expect(text).toMatch(/^retry: \d+\n\n(: still here\n\n)+$/);
});

test("streams are limited; one that is left gives its place back, and HEAD takes none", async () => {
  const log = createEventLog();
  await using http = await startHttp({ deps: log.deps, settings: { sseConnections: 2 } });
  const path = `${await http.session()}/events`;
  for (let count = 0; count < 5; count += 1)
    expect((await http.fetch(path, { method: "HEAD", headers: SSE })).status).toBe(200);
  const gone = new AbortController();
  for (let count = 0; count < 2; count += 1)
    expect((await http.fetch(path, { headers: SSE, signal: gone.signal })).status).toBe(200);
  await waitFor(() => log.followers() === 2, { what: "two followers" });
  const refused = await http.fetch(path, { headers: SSE });
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toBe("10");
  gone.abort();
  await waitFor(() => log.followers() === 0, { what: "no followers" });
  const last = new AbortController();
  expect((await http.fetch(path, { headers: SSE, signal: last.signal })).status).toBe(200);
  last.abort();
});

test("a reader that takes nothing makes the hub read no further", async () => {
  const log = createEventLog();
  await using http = await startHttp({ deps: log.deps });
  const location = await http.session();
  const text = "x".repeat(10_000);
  for (let count = 0; count < 20_000; count += 1) log.append("message.written", { text });
  const socket = connect(Number(new URL(http.url).port), "127.0.0.1");
  socket.pause();
  socket.write(
    `GET ${location}/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
  );
  // It stands still once the buffers of the system are full: 5 MB a batch, 200 MB in all.
  let before = -1;
  const still = await waitFor(
    () => {
      const same = log.batches() > 0 && log.batches() === before;
      before = log.batches();
      return same && before;
    },
    { intervalMs: 300, what: "the hub to wait for its reader" },
  );
  expect(still).toBeLessThan(10);
  socket.destroy();
  await waitFor(() => log.followers() === 0, { what: "the follower to end" });
});

test("a log that cannot be read on is cut off, not ended", async () => {
  const log = createEventLog();
  await using http = await startHttp({
    deps: {
      events: { ...log.deps.events, readAfter: fails },
      feed: { follow: () => ({ [Symbol.asyncIterator]: () => ({ next: fails }) }) },
    },
  });
  const path = `${await http.session()}/events`;
  for (const headers of [SSE, {}])
    await expect(http.fetch(path, { headers }).then((answer) => answer.text())).rejects.toThrow(
      /fetch failed|terminated/,
    );
  await waitFor(() => http.log.filter((line) => line.includes("could not be read")).length === 2);
});

test("a hub that stops ends its streams at once, and lets other requests finish", async () => {
  const log = createEventLog();
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const http = await startHttp({
    deps: log.deps,
    sessions: {
      async list() {
        asked.resolve();
        await release.promise;
        return { sessions: [], nextCursor: null };
      },
    },
  });
  const stream = await http.fetch(`${await http.session()}/events`, { headers: SSE });
  const slow = http.fetch("/api/v1/sessions");
  await asked.promise;
  const stopped = http[Symbol.asyncDispose]();
  await expect(stream.text()).rejects.toThrow("terminated");
  release.resolve();
  expect((await slow).status).toBe(200);
  await stopped;
  await waitFor(() => log.followers() === 0, { what: "the follower to end" });
});
