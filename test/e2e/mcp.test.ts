import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { z } from "zod";
import { openHouse, REPOSITORY } from "../kit/hub/house.ts";
import { mcpClient } from "../kit/hub/mcp-client.ts";
import { standIn } from "../kit/agent/stand-in.ts";

const Listed = z.object({
  tools: z.array(
    z.looseObject({
      name: z.string(),
      inputSchema: z.looseObject({
        properties: z.record(z.string(), z.unknown()),
        required: z.array(z.string()),
      }),
      outputSchema: z.record(z.string(), z.unknown()),
    }),
  ),
});
const WithSession = z.object({ session: z.looseObject({ id: z.string(), status: z.string() }) });
const Waited = z.object({
  done: z.boolean(),
  timedOut: z.boolean(),
  sessions: z.array(z.looseObject({ id: z.string(), status: z.string() })),
});

/** Names and parameters of the older server. */
const OLDER: Record<string, string[]> = {
  create_session: [
    "session_type",
    "repository",
    "requirements",
    "context",
    "branch",
    "dependencies",
    "auto_start",
    "timeout_minutes",
  ],
  start_session: ["session_id"],
  get_session_status: ["session_id"],
  get_session_output: ["session_id"],
  list_sessions: ["orchestration_id", "status"],
  wait_for_session: ["session_id", "timeout_seconds", "poll_interval_seconds"],
};

test("sessions are made, waited for, read and cancelled by the tools of /mcp", async () => {
  await using house = await openHouse();
  const { hub } = house;
  const mcp = mcpClient({ url: hub.url, token: hub.secret });

  const begun = await mcp.request("initialize", {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  });
  expect(begun.result).toMatchObject({
    protocolVersion: "2025-11-25",
    serverInfo: { name: "claude-hub" },
  });
  const { tools } = Listed.parse((await mcp.request("tools/list")).result);
  for (const [name, parameters] of Object.entries(OLDER)) {
    const tool = tools.find((one) => one.name === name);
    expect([name, Object.keys(tool?.inputSchema.properties ?? {})]).toEqual([
      name,
      expect.arrayContaining(parameters),
    ]);
  }
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const checks = new Map(tools.map((tool) => [tool.name, ajv.compile(tool.outputSchema)]));

  /** Calls a tool, and holds what it answers against what it has promised. */
  async function call(name: string, input: Record<string, unknown>) {
    const answer = await mcp.call(name, input);
    expect([name, answer.isError, answer.text]).toEqual([name, false, expect.anything()]);
    const check = checks.get(name);
    expect([name, check?.(answer.structured), check?.errors]).toEqual([name, true, null]);
    expect(JSON.parse(answer.text)).toEqual(answer.structured);
    return answer;
  }
  const make = async (requirements: string, more: Record<string, unknown> = {}) =>
    WithSession.parse(
      (
        await call("create_session", {
          session_type: "implementation",
          repository: REPOSITORY,
          requirements,
          ...more,
        })
      ).structured,
    ).session.id;

  const first = await make(
    standIn(
      { write: { path: "a.md", content: "a" } },
      { lines: 40, everyMs: 50 },
      { result: { summary: "A is there.", nextSteps: ["Rest"] } },
    ),
    { timeout_minutes: 5 },
  );
  const second = await make("Nothing.", { dependencies: [first, "none"], auto_start: true });
  expect(await hub.get(second)).toMatchObject({ status: "pending" });
  const early = await call("wait_for_session", { session_id: first, timeout_seconds: 0 });
  expect(early.structured).toMatchObject({
    done: false,
    timedOut: true,
    sessions: [{ status: "initializing", note: expect.stringContaining("start_session") }],
  });

  const started = await call("start_session", { session_id: first });
  expect(started.structured).toMatchObject({ waitingFor: [] });
  const any = await call("wait_for_session", { session_ids: [first, second], mode: "any" });
  expect(Waited.parse(any.structured)).toMatchObject({ done: true, timedOut: false });
  expect(any.progress.join("\n")).toContain("of 2 sessions are over");
  const all = await call("wait_for_session", { session_ids: [first, second] });
  expect(all.structured).toMatchObject({
    done: true,
    sessions: [
      { id: first, status: "completed", summary: "A is there." },
      { id: second, status: "completed" },
    ],
  });

  const output = await call("get_session_output", { session_id: first, log_lines: 3 });
  expect(output.structured).toMatchObject({
    status: "completed",
    output: { summary: "A is there.", nextSteps: ["Rest"], logs: { length: 3 } },
  });
  const artifacts = await call("get_session_artifacts", { session_id: first });
  expect(artifacts.text).toContain("a.md");
  const diff = await call("get_session_diff", { session_id: first, max_chars: 10 });
  expect(diff.structured).toMatchObject({ diff: "diff --git", next_offset: 10 });
  const seqs: number[] = [];
  for (let after: number | null = 0; after !== null;) {
    const page = z
      .object({ events: z.array(z.object({ seq: z.number() })), next_after: z.int().nullable() })
      .parse(
        (await call("get_session_events", { session_id: first, after, limit: 20 })).structured,
      );
    seqs.push(...page.events.map(({ seq }) => seq));
    after = page.next_after;
  }
  expect(seqs).toEqual((await hub.events(first)).map(({ seq }) => seq));

  const listed = await call("list_sessions", { status: "all", limit: 1 });
  expect(listed.structured).toMatchObject({ sessions: [{ id: second }], next_cursor: second });
  expect((await call("get_session_status", { session_id: second })).structured).toMatchObject({
    session: { dependencies: [first], project: { repository: REPOSITORY } },
  });

  const onward = WithSession.parse(
    (await call("continue_session", { session_id: first, requirements: "Nothing more." }))
      .structured,
  ).session;
  const goneOn = await call("wait_for_session", { session_id: onward.id });
  expect(goneOn.structured).toMatchObject({ done: true, sessions: [{ status: "completed" }] });
  expect(
    await mcp.call("continue_session", { session_id: first, requirements: "x" }),
  ).toMatchObject({
    isError: true,
    text: expect.stringContaining(onward.id),
  });

  const orchestration = await call("create_orchestration", {
    repository: REPOSITORY,
    requirements: "Everything.",
  });
  const { orchestrationId, sessions } = z
    .object({ orchestrationId: z.string(), sessions: z.array(z.looseObject({ id: z.string() })) })
    .parse(orchestration.structured);
  const inside = await call("list_sessions", { orchestration_id: orchestrationId });
  expect(inside.structured).toMatchObject({ sessions: [{ id: sessions[0]?.id }] });
  const cancelled = await call("cancel_session", { session_id: sessions[0]?.id });
  expect(cancelled.structured).toMatchObject({ session: { status: "cancelled" } });

  const planned = z.object({ orchestrationId: z.string(), planVersion: z.number() }).parse(
    (
      await call("create_orchestration", {
        repository: REPOSITORY,
        requirements: "Two things.",
        plan: {
          tasks: [
            { id: "a", title: "A", type: "analysis", requirements: "Nothing." },
            { id: "b", title: "B", type: "analysis", requirements: "Nothing.", needs: ["a"] },
          ],
        },
      })
    ).structured,
  );
  const which = { orchestration_id: planned.orchestrationId };
  expect((await call("get_orchestration", which)).structured).toMatchObject({
    state: "proposed",
    plan: { tasks: [{ id: "a" }, { id: "b", needs: ["a"] }] },
  });
  const approved = await call("approve_plan", { ...which, plan_version: planned.planVersion });
  expect(approved.structured).toMatchObject({ state: "running" });
  expect((await call("cancel_orchestration", which)).isError).toBe(false);

  // What cannot be done says why.
  const again = await mcp.call("cancel_session", { session_id: first });
  expect(again).toMatchObject({ isError: true, text: expect.stringContaining("already ended") });
  const unknown = "019f0000-0000-7000-8000-000000000000";
  const missing = await mcp.call("wait_for_session", { session_ids: [first, unknown] });
  expect(missing).toMatchObject({ isError: true, text: expect.stringContaining(unknown) });

  const log = await mcp.request("resources/read", { uri: `claude-hub://sessions/${first}/log` });
  expect(log.result).toMatchObject({
    contents: [{ text: expect.stringContaining("session completed: A is there.") }],
  });
  const resources = await mcp.request("resources/list");
  expect(resources.result).toMatchObject({
    resources: expect.arrayContaining([
      expect.objectContaining({ uri: `claude-hub://sessions/${first}/log` }),
    ]),
  });
  const templates = await mcp.request("resources/templates/list");
  expect(templates.result).toMatchObject({ resourceTemplates: [{ name: "session-log" }] });
});

test("sessions are told something, and tried again, by the tools of /mcp", async () => {
  await using house = await openHouse();
  const { hub } = house;
  const mcp = mcpClient({ url: hub.url, token: hub.secret });
  const call = async (name: string, input: Record<string, unknown>) => {
    const answer = await mcp.call(name, input);
    expect([name, answer.isError, answer.text]).toEqual([name, false, expect.anything()]);
    return answer.structured;
  };
  const { session } = WithSession.parse(
    await call("create_session", {
      session_type: "analysis",
      repository: REPOSITORY,
      requirements: `Wait.\n${standIn({ hear: true })}`,
    }),
  );
  const which = { session_id: session.id };
  const Sent = z.object({ id: z.string() });
  const told = Sent.parse(await call("message_session", { ...which, text: "Early bird" }));
  const early = await mcp.call("interrupt_session", which);
  expect(early).toMatchObject({ isError: true, text: expect.stringContaining("has not begun") });
  await call("start_session", which);
  await call("wait_for_session", which);
  const log = await hub.events(session.id);
  expect(log.find(({ kind }) => kind === "message.delivered")?.body).toMatchObject(told);
  expect(log.find(({ kind }) => kind === "message.sent")?.body).toMatchObject({ sender: "api" });
  const refusals: [string, Record<string, unknown>, string][] = [
    ["message_session", { text: "Late" }, "continue it"],
    // The stand-in leaves no conversation that could be forked.
    ["fork_session", { requirements: "Another way." }, "left no conversation"],
    ["retry_session", { model: "huge-9" }, "among those that the operator allows"],
  ];
  for (const [name, input, reason] of refusals)
    expect(await mcp.call(name, { ...which, ...input })).toMatchObject({
      isError: true,
      text: expect.stringContaining(reason),
    });
  const again = WithSession.parse(await call("retry_session", which)).session;
  expect(again.id).not.toBe(session.id);
  await call("message_session", { session_id: again.id, text: "Once more" });
  const end = await call("wait_for_session", { session_id: again.id });
  expect(end).toMatchObject({ done: true, sessions: [{ status: "completed" }] });
});
