import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { openDatabase } from "../../src/store/database.ts";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import type { TestHub } from "../kit/hub/hub.ts";

const OTHER = "octo/other";
const NewToken = z.object({ id: z.string(), token: z.string(), scopes: z.array(z.string()) });
const Page = z.object({
  sessions: z.array(z.object({ id: z.string() })),
  nextCursor: z.string().nullable(),
});
const Made = z.object({ id: z.string(), orchestrationId: z.string().nullable() });

/** What is asked with one token, below /api/v1. */
function caller(hub: TestHub, token: string) {
  return async (method: string, path: string, body?: unknown) => {
    const answer = await hub.fetch(`/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined || method === "GET" ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, text, json: (): unknown => JSON.parse(text) };
  };
}

async function tokenOf(hub: TestHub, token: Record<string, unknown>) {
  const answer = await caller(hub, hub.secret)("POST", "/tokens", { name: "t", ...token });
  expect([answer.status, answer.text]).toEqual([201, expect.anything()]);
  const made = NewToken.parse(answer.json());
  return { ...made, ask: caller(hub, made.token) };
}

const in_ = (repository: string, more: Record<string, unknown> = {}) =>
  session("Nothing.", { project: { repository, requirements: "Nothing." }, ...more });

test("a token does what its scopes say, until it is revoked or expires, and is kept as a hash", async () => {
  await using house = await openHouse({ env: { CLAUDE_HUB_SSE_HEARTBEAT_MS: "100" } });
  const { hub } = house;
  const [reads, writes, admin] = await Promise.all(
    ["read", "write", "admin"].map((scope) => tokenOf(hub, { scopes: [scope] })),
  );
  if (reads === undefined || writes === undefined || admin === undefined) throw new Error("none");

  expect((await reads.ask("GET", "/sessions")).status).toBe(200);
  expect((await reads.ask("POST", "/sessions", in_(REPOSITORY))).status).toBe(403);
  const made = Made.parse((await writes.ask("POST", "/sessions", in_(REPOSITORY))).json());
  expect((await reads.ask("GET", `/sessions/${made.id}`)).status).toBe(200);
  for (const { ask } of [reads, writes])
    for (const [method, path] of [
      ["GET", "/tokens"],
      ["POST", "/tokens"],
      ["DELETE", `/tokens/${admin.id}`],
      ["GET", "/deliveries"],
      ["POST", "/deliveries/simulate"],
    ] as const)
      expect([path, (await ask(method, path, {})).status]).toEqual([path, 403]);
  expect((await reads.ask("POST", `/sessions/${made.id}/cancel`)).status).toBe(403);

  const listed = await admin.ask("GET", "/tokens");
  expect(listed.status).toBe(200);
  expect(listed.text).not.toContain("chub_");
  expect(listed.json()).toMatchObject({
    tokens: expect.arrayContaining([
      expect.objectContaining({ id: reads.id, revokedAt: null, lastUsedAt: expect.any(String) }),
    ]),
  });

  // The older API and the pages take the hub's own secret, and nothing else.
  const older = await hub.fetch("/api/webhooks/claude", {
    method: "POST",
    headers: { authorization: `Bearer ${admin.token}` },
    body: '{"type":"session.list"}',
  });
  expect(older.status).toBe(401);
  const docs = await hub.fetch("/docs", { headers: { authorization: `Bearer ${admin.token}` } });
  expect(docs.status).toBe(401);

  // What was begun with it ends as well.
  const stream = await hub.fetch(`/api/v1/sessions/${made.id}/events`, {
    headers: { authorization: `Bearer ${reads.token}`, accept: "text/event-stream" },
  });
  expect(stream.status).toBe(200);
  expect((await admin.ask("DELETE", `/tokens/${reads.id}`)).status).toBe(200);
  expect(await stream.text()).toContain("session.created");
  expect((await reads.ask("GET", "/sessions")).status).toBe(401);
  await using database = openDatabase({ url: house.databaseUrl, maxConnections: 1 });
  await database.db
    .updateTable("api_tokens")
    .set({ expires_at: new Date(Date.now() - 1) })
    .where("id", "=", writes.id)
    .execute();
  expect((await writes.ask("GET", "/sessions")).status).toBe(401);
  const rows = await database.db.selectFrom("api_tokens").selectAll().execute();
  for (const { token } of [reads, writes, admin]) {
    expect(JSON.stringify(rows)).not.toContain(token.slice(5));
    expect(hub.output()).not.toContain(token.slice(5));
  }

  for (const [token, why] of [
    [{ scopes: [] }, "scopes"],
    [{ scopes: ["root"] }, "scopes.0"],
    [{ scopes: ["admin"], repositories: [REPOSITORY] }, "scopes"],
    [{ scopes: ["read"], repositories: [] }, "repositories"],
    [{ scopes: ["read"], repositories: ["../x"] }, "repositories.0"],
    [{ scopes: ["read"], expiresAt: "2001-01-01T00:00:00Z" }, "expiresAt"],
    [{ scopes: ["read"], name: "\u001b[31m" }, "name"],
    [{ scopes: ["read"], name: " " }, "name"],
  ] as const) {
    const answer = await admin.ask("POST", "/tokens", { name: "t", ...token });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(`${why}:`)]);
  }

  // What is no token, or nearly one.
  for (const shown of [
    `${admin.token}x`,
    admin.token.toUpperCase(),
    admin.token.slice(5),
    admin.id,
    "chub_",
  ])
    expect([shown, (await caller(hub, shown)("GET", "/sessions")).status]).toEqual([shown, 401]);
});

test("a token that is limited sees and makes nothing else", async () => {
  await using house = await openHouse();
  const { hub } = house;
  const whole = caller(hub, hub.secret);
  const make = async (ask: typeof whole, body: unknown) => {
    const answer = await ask("POST", "/sessions", body);
    expect([answer.status, answer.text]).toEqual([201, expect.anything()]);
    return Made.parse(answer.json());
  };
  const mine = await make(whole, in_(REPOSITORY));
  const theirs = await make(whole, in_(OTHER));
  const limited = await tokenOf(hub, { scopes: ["write"], repositories: [REPOSITORY] });

  const pages = await limited.ask("GET", "/sessions?limit=1");
  expect(Page.parse(pages.json())).toEqual({
    sessions: [expect.objectContaining({ id: mine.id })],
    nextCursor: null,
  });
  const asked = await limited.ask("GET", `/sessions?repository=${encodeURIComponent(OTHER)}`);
  expect(Page.parse(asked.json()).sessions).toEqual([]);
  expect((await limited.ask("POST", "/sessions", in_(OTHER))).status).toBe(404);
  expect(
    (await limited.ask("POST", "/orchestrations", { project: in_(OTHER)["project"] })).status,
  ).toBe(404);
  for (const named of [{ dependencies: [theirs.id] }, { continues: theirs.id }]) {
    const answer = await limited.ask("POST", "/sessions", in_(REPOSITORY, named));
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("no session")]);
  }
  expect((await limited.ask("POST", `/sessions/${mine.id}/start`)).status).toBe(200);

  // Every operation on a session that the document has, so that a new one is asked as well.
  for (const { method, path } of await operationsOn("/sessions/{id}")) {
    const place = path
      .replace("{id}", theirs.id)
      .replaceAll(/\{\w+\}/g, "019f0000-0000-7000-8000-000000000000");
    const body = method === "get" ? undefined : EVERYTHING;
    const answer = await limited.ask(method.toUpperCase(), place, body);
    expect([method, path, answer.status]).toEqual([method, path, 404]);
  }

  const orchestrated = await whole("POST", "/orchestrations", {
    project: in_(REPOSITORY)["project"],
  });
  const { orchestrationId } = z.object({ orchestrationId: z.string() }).parse(orchestrated.json());
  const inside = await tokenOf(hub, { scopes: ["write"], orchestrationId });
  const child = await make(inside.ask, in_(REPOSITORY));
  expect(child.orchestrationId).toBe(orchestrationId);
  expect(Page.parse((await inside.ask("GET", "/sessions")).json()).sessions).toHaveLength(2);
  expect((await inside.ask("GET", `/sessions/${mine.id}`)).status).toBe(404);
  const elsewhere = await inside.ask("GET", `/sessions?orchestrationId=${mine.id}`);
  expect(Page.parse(elsewhere.json()).sessions).toEqual([]);
  for (const [path, body] of [
    ["/sessions", in_(REPOSITORY, { type: "coordination" })],
    ["/orchestrations", { project: in_(REPOSITORY)["project"] }],
  ] as const)
    expect((await inside.ask("POST", path, body)).status).toBe(403);
});

/** Fits whatever a route asks for. */
const EVERYTHING = { text: "x", requirements: "x", decision: "deny" };

async function operationsOn(prefix: string) {
  const text = await readFile(join(import.meta.dirname, "../../docs/openapi.json"), "utf8");
  const { paths } = z
    .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
    .parse(JSON.parse(text));
  const found = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method, path })),
  );
  return found.filter(({ path }) => path.startsWith(prefix));
}
