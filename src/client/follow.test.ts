import { expect, test } from "vitest";
import { createEventLog } from "../../test/kit/hub/event-log.ts";
import { startHttp, TOKEN } from "../../test/kit/hub/http.ts";
import { waitFor } from "../../test/kit/wait.ts";
import type { Event } from "../core/event.ts";
import { createClient } from "./client.ts";
import { followEvents } from "./follow.ts";

async function seqs(events: AsyncIterable<Event>): Promise<number[]> {
  const all: number[] = [];
  for await (const { seq } of events) all.push(seq);
  return all;
}

test("the client reads to the end, goes on after a break, and stops when told", async () => {
  const log = createEventLog();
  log.append("session.created");
  let breaks = 2;
  const { feed } = log.deps;
  await using http = await startHttp({
    deps: {
      ...log.deps,
      feed: {
        async *follow(id, after, signal) {
          for await (const batch of feed.follow(id, after, signal)) {
            yield batch;
            if ((breaks -= 1) >= 0) throw new Error("broken");
          }
        },
      },
    },
  });
  const id = (await http.session()).split("/").at(-1) ?? "";
  const options = { url: http.url, token: TOKEN, sessionId: id };
  const reading = seqs(followEvents(options));
  await waitFor(() => breaks === 1);
  log.append("message.written");
  await waitFor(() => breaks === 0);
  log.append("session.completed");
  expect(await reading).toEqual([1, 2, 3]);

  expect(await seqs(followEvents({ ...options, after: 3 }))).toEqual([]);
  await expect(seqs(followEvents({ ...options, token: "wrong" }))).rejects.toThrow("401");
  expect(await seqs(followEvents({ ...options, signal: AbortSignal.abort() }))).toEqual([]);
});

test("an event that makes no sense is an error, not a reason to ask again", async () => {
  const log = createEventLog();
  log.append("session.created");
  Object.assign(log.events[0] ?? {}, { kind: "session.from-the-future" });
  await using http = await startHttp({ deps: log.deps });
  const sessionId = (await http.session()).split("/").at(-1) ?? "";
  await expect(seqs(followEvents({ url: http.url, token: TOKEN, sessionId }))).rejects.toThrow(
    "does not know",
  );
});

test("the client is typed by the routes", async () => {
  await using http = await startHttp();
  const client = createClient({ url: http.url, token: TOKEN });
  const project = { repository: "a/b", requirements: "x" };
  const made = await client.sessions.$post({ json: { type: "testing", project } });
  if (made.status !== 201) throw new Error(`the hub answered ${made.status}`);
  const { id } = await made.json();
  const got = await client.sessions[":id"].$get({ param: { id } });
  expect(await got.json()).toMatchObject({ id, status: "initializing", project });
});
