import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { z } from "zod";
import { openHouse, session } from "../kit/hub/house.ts";
import { listenOnLoopback, readBody } from "../kit/network/loopback.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const KEY = Buffer.alloc(32, 5);
const Message = z.object({
  type: z.string(),
  timestamp: z.iso.datetime(),
  data: z.looseObject({
    session: z.looseObject({ id: z.string(), status: z.string(), error: z.string().nullable() }),
    summary: z.string(),
  }),
});
const Page = z.object({
  notices: z.array(
    z.object({
      id: z.string(),
      sessionId: z.string(),
      kind: z.string(),
      host: z.string(),
      state: z.string(),
      outcome: z.string().nullable(),
      attempts: z.int(),
    }),
  ),
});

interface Taken {
  path: string;
  id: string;
  status: number;
  message: z.infer<typeof Message>;
}

/** Takes only what is signed right. @param statuses What it answers, one after the other, and then 200. */
async function openReceiver(statuses: number[]) {
  const taken: Taken[] = [];
  const server = await listenOnLoopback(
    createServer((request, response) => {
      void readBody(request, 1_000_000).then((body) => {
        const [id, at] = [
          String(request.headers["webhook-id"]),
          String(request.headers["webhook-timestamp"]),
        ];
        const mac = createHmac("sha256", KEY).update(`${id}.${at}.${body.toString()}`);
        const isRight = request.headers["webhook-signature"] === `v1,${mac.digest("base64")}`;
        const status = isRight ? (statuses.shift() ?? 200) : 401;
        const message = Message.parse(JSON.parse(body.toString()));
        taken.push({ path: request.url ?? "", id, status, message });
        return response.writeHead(status).end();
      });
    }),
  );
  return { url: server.url, taken, [Symbol.asyncDispose]: server.close };
}

test(
  "who asked for it is told of each end once, over failures and a kill, and by nobody else",
  { timeout: 120_000 },
  async () => {
    await using mine = await openReceiver([503]);
    await using all = await openReceiver([]);
    await using house = await openHouse({
      env: {
        CLAUDE_HUB_NOTIFY_URLS: `${all.url}/all?key=of-the-receiver`,
        CLAUDE_HUB_NOTIFY_SECRET: `whsec_${KEY.toString("base64")}`,
        CLAUDE_HUB_NOTIFY_ADDRESSES: "127.0.0.1",
        CLAUDE_HUB_NOTIFY_TIMEOUT_MS: "2000",
      },
    });
    const { hub } = house;
    const notices = async (query = "") =>
      Page.parse(await (await hub.fetch(`/api/v1/notices${query}`)).json()).notices;

    const options = { notifyUrl: `${mine.url}/mine?key=of-the-session` };
    const fails = await hub.create(session(`Fail.\n${standIn({ exit: 3 })}`, { options }));
    const waits = await hub.create(session("Wait.", { options, dependencies: [fails.id] }));
    const inner = { notifyUrl: `${hub.url}/api/v1/sessions` };
    const other = await hub.create(
      session(`Be.\n${standIn({ write: { path: "a", content: "a" } })}`, { options: inner }),
    );
    for (const { id } of [waits, fails, other]) await hub.start(id);
    await hub.until(fails.id);
    // Never to the hub itself, which would have the session ask it for things; its port is another one after the kill.
    const refused = await waitFor(
      async () => (await notices(`?sessionId=${other.id}&state=failed`))[0],
      { what: "a notice to be refused" },
    );
    expect(refused.outcome).toMatch(/is the hub itself/);
    // Its receiver was not there for it; the next hub tells.
    await waitFor(() => mine.taken.some(({ status }) => status === 503) || undefined, {
      what: "a failure",
    });
    await hub.kill();
    await hub.restart();

    const done = await waitFor(
      async () => {
        const found = await notices();
        return found.length === 6 && found.every(({ state }) => state !== "waiting")
          ? found
          : undefined;
      },
      { timeoutMs: 60_000, what: "everybody to be told" },
    );
    const toMine = done.filter(({ host }) => mine.url.endsWith(host));
    expect(
      toMine.map(({ kind, state, sessionId }) => `${kind} ${state} ${sessionId}`).toSorted(),
    ).toEqual([`session.cancelled told ${waits.id}`, `session.failed told ${fails.id}`]);
    const told = mine.taken.filter(({ status }) => status === 200);
    expect(new Set(told.map(({ id }) => id)).size).toBe(2);
    expect(mine.taken.every(({ path }) => path === "/mine?key=of-the-session")).toBe(true);
    const failure = told.find(({ message }) => message.type === "session.failed");
    expect(failure?.message.data.session).toMatchObject({ id: fails.id, status: "failed" });
    expect(new Set(all.taken.map(({ message }) => message.data.session.id))).toEqual(
      new Set([fails.id, waits.id, other.id]),
    );
    // Addresses may hold secrets.
    expect(hub.output()).not.toContain("of-the-");
    expect(JSON.stringify(done)).not.toContain("of-the-");

    const again = toMine[0];
    const resend = `/api/v1/notices/${again?.id}/resend`;
    expect((await hub.fetch(resend, { method: "POST" })).status).toBe(200);
    await waitFor(
      () =>
        mine.taken.filter(({ id, status }) => id === again?.id && status === 200).length > 1 ||
        undefined,
      { what: "the notice to come once more" },
    );
    expect(
      (
        await hub.fetch("/api/v1/notices/0193a000-0000-7000-8000-000000000000/resend", {
          method: "POST",
        })
      ).status,
    ).toBe(404);
    expect(await notices(`?sessionId=${other.id}&state=failed`)).toHaveLength(1);
  },
);
