import { request } from "node:http";
import { once } from "node:events";
import { expect, test } from "vitest";
import { z } from "zod";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import type { TestHub } from "../kit/hub/hub.ts";
import { mcpClient } from "../kit/hub/mcp-client.ts";
import { waitFor } from "../kit/wait.ts";

const OTHER = "octo/other";
const LIST = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
const BODY_BYTES = 1_048_576;

async function tokenOf(hub: TestHub, token: Record<string, unknown>) {
  const answer = await hub.fetch("/api/v1/tokens", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "t", ...token }),
  });
  return z.object({ id: z.string(), token: z.string() }).parse(await answer.json());
}

/** With headers that `fetch` would not send. */
async function raw(hub: TestHub, headers: Record<string, string>): Promise<number> {
  const sent = request(`${hub.url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${hub.secret}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
  });
  sent.end(LIST);
  const [answer] = z
    .tuple([z.looseObject({ statusCode: z.number(), destroy: z.function() })])
    .parse(await once(sent, "response"));
  sent.destroy();
  return answer.statusCode;
}

test("/mcp opens for nobody who may not, and takes in no more than it should", async () => {
  await using house = await openHouse({
    env: {
      CLAUDE_HUB_API_BODY_BYTES: String(BODY_BYTES),
      CLAUDE_HUB_MCP_CALLS_PER_TOKEN: "2",
      CLAUDE_HUB_SSE_HEARTBEAT_MS: "100",
      ALLOWED_HOSTS: "hub.example",
    },
  });
  const { hub } = house;
  const whole = mcpClient({ url: hub.url, token: hub.secret });

  // A page from elsewhere, by its own name or by one that was made to point here.
  for (const [headers, status] of [
    [{ origin: "https://evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ origin: "https://hub.example.evil.example" }, 403],
    [{ origin: "file://" }, 403],
    [{ host: "evil.example" }, 403],
    [{ host: "evil.example", origin: "http://evil.example" }, 403],
    [{ host: "hub.example", origin: "https://hub.example" }, 200],
    [{ origin: new URL(hub.url).origin }, 200],
    [{ authorization: "" }, 401],
    [{ authorization: "Bearer wrong" }, 401],
    [{ authorization: `Basic ${btoa(`x:${hub.secret}`)}` }, 401],
    [{ "content-type": "text/plain" }, 415],
    [{ accept: "text/html" }, 406],
  ] as const)
    expect([headers, await raw(hub, headers)]).toEqual([headers, status]);
  for (const method of ["GET", "DELETE"])
    expect((await hub.fetch("/mcp", { method })).status).toBe(405);

  // Bodies.
  const huge = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "x".repeat(BODY_BYTES) });
  const call = { jsonrpc: "2.0", id: 1, method: "tools/list" };
  for (const [body, status] of [
    [huge, 413],
    ["", 400],
    ["{", 400],
    ["\u00ff\u00fe", 400],
    ["null", 400],
    ['{"jsonrpc":"1.0"}', 400],
    [JSON.stringify(Array.from({ length: 101 }, () => call)), 400],
  ] as const)
    expect([body.slice(0, 50), (await whole.post(body)).status]).toEqual([
      body.slice(0, 50),
      status,
    ]);

  // Arguments.
  const create = { session_type: "testing", repository: REPOSITORY, requirements: "x" };
  for (const [name, input, why] of [
    ["create_session", { ...create, repository: "../etc" }, "repository: must be owner/name"],
    ["create_session", { ...create, session_type: "root" }, "session_type: "],
    ["create_session", { ...create, requirements: "" }, "requirements: "],
    ["create_session", { ...create, requirements: "x".repeat(65_537) }, "requirements: "],
    ["create_session", { ...create, branch: "--upload-pack=x" }, "branch: "],
    ["create_session", { ...create, dependencies: ["x"] }, "dependencies.0: "],
    ["create_session", { ...create, timeout_minutes: 0 }, "timeout_minutes: "],
    ["create_session", { ...create, policy: "none" }, 'Unrecognized key: "policy"'],
    ["create_session", {}, "session_type: "],
    ["start_session", { session_id: "../x" }, "session_id: "],
    ["wait_for_session", {}, "session_id: is missing"],
    ["wait_for_session", { session_ids: [] }, "session_ids: "],
    ["get_session_events", { session_id: 5 }, "session_id: "],
    ["__proto__", {}, "there is no tool __proto__"],
  ] as const) {
    const { error } = await whole.request("tools/call", { name, arguments: input });
    expect([name, input, error]).toEqual([
      name,
      input,
      { code: -32602, message: expect.stringContaining(why) },
    ]);
  }
  for (const uri of [
    "file:///etc/passwd",
    "claude-hub://sessions/../log",
    "claude-hub://sessions/019f0000-0000-7000-8000-000000000000/log",
  ]) {
    const { error } = await whole.request("resources/read", { uri });
    expect([uri, error?.code]).toEqual([uri, -32602]);
  }
  expect((await whole.request("sampling/createMessage")).error?.code).toBe(-32601);

  // Tokens that may not.
  const mine = await hub.create(session("Nothing."));
  const theirs = await hub.create({
    type: "analysis",
    project: { repository: OTHER, requirements: "Theirs." },
  });
  const made = await whole.call("create_orchestration", { repository: OTHER, requirements: "x" });
  const elsewhere = String(made.structured["orchestrationId"]);
  const reader = await tokenOf(hub, { scopes: ["read"], repositories: [REPOSITORY] });
  const writer = await tokenOf(hub, { scopes: ["write"], repositories: [REPOSITORY] });
  const reads = mcpClient({ url: hub.url, token: reader.token });
  const writes = mcpClient({ url: hub.url, token: writer.token });
  const names = z
    .object({ tools: z.array(z.object({ name: z.string() })) })
    .parse((await reads.request("tools/list")).result)
    .tools.map(({ name }) => name);
  expect(names).toContain("get_session_status");
  expect(names.filter((name) => /^(?:create|start|cancel|continue)/.test(name))).toEqual([]);
  const allowed = await reads.call("get_session_status", { session_id: mine.id });
  expect(allowed.isError).toBe(false);
  for (const [name, input] of [
    ["create_session", create],
    ["start_session", { session_id: mine.id }],
    ["cancel_session", { session_id: mine.id }],
    ["continue_session", { session_id: mine.id, requirements: "x" }],
    ["create_orchestration", { repository: REPOSITORY, requirements: "x" }],
  ] as const)
    expect([name, await reads.call(name, input)]).toEqual([
      name,
      expect.objectContaining({ isError: true, text: expect.stringContaining("scope write") }),
    ]);
  expect((await hub.get(mine.id)).status).toBe("initializing");
  for (const [name, input] of [
    ["get_session_status", { session_id: theirs.id }],
    ["get_session_output", { session_id: theirs.id }],
    ["get_session_events", { session_id: theirs.id }],
    ["get_session_artifacts", { session_id: theirs.id }],
    ["get_session_diff", { session_id: theirs.id }],
    ["wait_for_session", { session_id: theirs.id }],
    ["start_session", { session_id: theirs.id }],
    ["cancel_session", { session_id: theirs.id }],
    ["continue_session", { session_id: theirs.id, requirements: "x" }],
    ["create_session", { ...create, repository: OTHER }],
    ["create_session", { ...create, dependencies: [theirs.id] }],
    ["create_orchestration", { repository: OTHER, requirements: "x" }],
    ["get_orchestration", { orchestration_id: elsewhere }],
    ["approve_plan", { orchestration_id: elsewhere, plan_version: 1 }],
    ["cancel_orchestration", { orchestration_id: elsewhere }],
  ] as const) {
    const refused = await writes.call(name, input);
    expect([name, refused.isError, refused.text]).toEqual([
      name,
      true,
      expect.stringMatching(/not found|no session/),
    ]);
  }
  const log = await writes.request("resources/read", {
    uri: `claude-hub://sessions/${theirs.id}/log`,
  });
  expect(log.error?.message).toBe("Session not found");
  for (const method of ["resources/list", "tools/call"]) {
    const listed = await writes.request(method, { name: "list_sessions", arguments: {} });
    expect(JSON.stringify(listed.result)).toContain(mine.id);
    expect(JSON.stringify(listed.result)).not.toContain(theirs.id);
  }
  expect((await hub.get(theirs.id)).status).toBe("initializing");

  // So many calls at once; who leaves gives its place back, and who is shut out does not stay.
  const leaving = new AbortController();
  const wait = { name: "wait_for_session", arguments: { session_id: mine.id } };
  const waits = [1, 2].map(() =>
    reads.request("tools/call", wait, { signal: leaving.signal }).catch(() => "left"),
  );
  await waitFor(async () => (await reads.post(LIST)).status === 429 || undefined, {
    what: "no place to be left",
  });
  expect((await writes.post(LIST)).status).toBe(200);
  leaving.abort();
  expect(await Promise.all(waits)).toEqual(["left", "left"]);
  await waitFor(async () => (await reads.post(LIST)).status === 200 || undefined, {
    what: "places to be given back",
  });
  const open = await reads.post(
    JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: wait }),
  );
  expect(open.status).toBe(200);
  await hub.fetch(`/api/v1/tokens/${reader.id}`, { method: "DELETE" });
  const said = await open.text().catch(() => "cut off");
  expect(said).toBe("cut off");
  expect((await reads.post(LIST)).status).toBe(401);
  for (const { token } of [reader, writer]) expect(hub.output()).not.toContain(token.slice(5));
});
