import { expect, test } from "vitest";
import { coordinate, orchestrationOf, outcomeOf, textOf } from "../kit/hub/coordination.ts";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";
import { openDatabase } from "../../src/store/database.ts";
import { createTokenStore } from "../../src/store/sessions/tokens.ts";

const MOST = 3;
const CREATE = { session_type: "implementation", requirements: "Nothing.", auto_start: true };
const STILL = `Nothing.\n${standIn({ sleepMs: 100 })}`;
const NONE = "019f0000-0000-7000-8000-000000000000";

const tool = (name: string, input: Record<string, unknown> = {}): StandInStep => ({
  tool: { name, input },
});

/** Asks the tools door by hand, so many times at once. */
const flood = (count: number, input: Record<string, unknown>) => ({
  run: `node -e '
    const url = process.env.ANTHROPIC_BASE_URL.replace(/model$/, "tools");
    const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
    const ask = async (_, id) => {
      const params = { name: "create_session", arguments: JSON.parse(process.argv[1]) };
      const body = JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params });
      const answer = await fetch(url, { method: "POST", headers, body });
      return answer.status + " " + (await answer.text());
    };
    Promise.all(Array.from({ length: ${count} }, ask)).then((all) => console.log(JSON.stringify(all)));
  ' '${JSON.stringify(input)}'`,
});

test(
  "a coordinator gets nothing beyond its orchestration, and is told why",
  { timeout: 240_000 },
  async () => {
    await using house = await openHouse({
      env: {
        CLAUDE_HUB_COORDINATION_MAX_SESSIONS: String(MOST),
        CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "4",
      },
    });
    const { hub } = house;
    const foreign = await hub.create(session("Somebody else's secret."));
    const elsewhere = await coordinate(
      hub,
      `Another request.\n${standIn(tool("create_session", { ...CREATE, requirements: STILL }))}`,
    );
    await outcomeOf(hub, elsewhere);
    const theirs = (await orchestrationOf(hub, elsewhere)).sessions.find(
      ({ role }) => role === "task",
    );
    const theirChild = theirs?.sessionId ?? "";
    const other = { session_id: foreign.id };
    const own = { session_id: "{{own}}" };

    /** Each with what it is told. */
    const attempts: [StandInStep, string | RegExp][] = [
      [
        tool("create_session", { ...CREATE, repository: "octo/other" }),
        `repository: this orchestration works on ${REPOSITORY}, and on no other`,
      ],
      [
        tool("create_session", { ...CREATE, session_type: "coordination" }),
        /^-32602 create_session: session_type: /,
      ],
      [
        tool("create_session", { ...CREATE, budget: { tokens: 2_000_000 } }),
        /^options\.budget\.tokens: is more than the \d+ tokens that remain/,
      ],
      [
        tool("create_session", { ...CREATE, budget: { tokens: -1 } }),
        /^-32602 create_session: budget\.tokens: /,
      ],
      [
        tool("create_session", { ...CREATE, policy: "none" }),
        '-32602 create_session: Unrecognized key: "policy"',
      ],
      [
        tool("create_session", { ...CREATE, branch: "--upload-pack=x" }),
        /^-32602 create_session: branch: /,
      ],
      [
        tool("create_session", { ...CREATE, requirements: "\u0000" }),
        /^-32602 create_session: requirements: must not contain NUL/,
      ],
      [
        tool("create_session", { ...CREATE, title: "x".repeat(121) }),
        /^-32602 create_session: title: /,
      ],
      [
        tool("create_session", { ...CREATE, dependencies: [foreign.id] }),
        `dependencies: no session ${foreign.id}`,
      ],
      [
        tool("create_session", { ...CREATE, dependencies: ["{{own}}"] }),
        /is your own: it ends after all others$/,
      ],
      [
        tool("create_session", { ...CREATE, replaces: foreign.id }),
        `replaces: ${foreign.id} is not a session that you have made`,
      ],
      [tool("create_session", { ...CREATE, replaces: "{{own}}" }), /is your own/],
      // A child, but of another one that coordinates.
      [
        tool("create_session", { ...CREATE, replaces: theirChild }),
        `replaces: ${theirChild} is not a session that you have made`,
      ],
      ...[foreign.id, theirChild].flatMap((session_id): [StandInStep, string][] => [
        [tool("message_session", { session_id, text: "Obey me." }), "Session not found"],
        [
          tool("message_session", { session_id, text: "Obey.", interrupt: true }),
          "Session not found",
        ],
        [tool("interrupt_session", { session_id }), "Session not found"],
        [tool("retry_session", { session_id }), "Session not found"],
      ]),
      [tool("message_session", { ...own, text: "x" }), /is your own session$/],
      [tool("interrupt_session", own), /is your own session$/],
      [tool("retry_session", own), /is your own session$/],
      [tool("message_session", other), /^-32602 message_session: text: /],
      [
        tool("message_session", { ...other, text: "x", sender: "ada" }),
        /Unrecognized key: "sender"/,
      ],
      [tool("fork_session", other), "-32602 fork_session: there is no such tool"],
      [tool("create_session", {}), /^-32602 create_session: session_type: /],
      ...[
        "get_session_status",
        "get_session_output",
        "get_session_events",
        "get_session_artifacts",
        "get_session_diff",
        "start_session",
        "cancel_session",
      ].map((name): [StandInStep, string] => [tool(name, other), "Session not found"]),
      [tool("wait_for_session", other), `session ${foreign.id} not found`],
      [tool("wait_for_session", own), /is your own session$/],
      [tool("cancel_session", own), /is your own session$/],
      [tool("cancel_session", { session_id: "../x" }), /^-32602 cancel_session: session_id: /],
      [tool("wait_for_session", {}), /^-32602 wait_for_session: session_id: is missing/],
      [tool("get_orchestration", { orchestration_id: elsewhere }), "Orchestration not found"],
      [tool("get_orchestration", { orchestration_id: NONE }), "Orchestration not found"],
      ...[
        "create_orchestration",
        "cancel_orchestration",
        "approve_plan",
        "continue_session",
        "__proto__",
      ].map((name): [StandInStep, string] => [
        tool(name, {}),
        `-32602 ${name}: there is no such tool`,
      ]),
      [tool("list_sessions", { repository: "octo/other" }), '{"sessions":[],"next_cursor":null}'],
    ];
    const child = standIn(flood(1, CREATE));
    const id = await coordinate(
      hub,
      `Be evil.\n${standIn(
        ...attempts.map(([step]) => step),
        tool("create_session", { ...CREATE, requirements: `x\n${child}` }),
        flood(8, CREATE),
        tool("create_session", CREATE),
        tool("list_sessions"),
        // No other door of the hub is open to it.
        {
          run: `node -e 'fetch(process.env.ANTHROPIC_BASE_URL.replace(/model$/, "api/v1/sessions")).then(async (a) => console.log(a.status, await a.text()))'`,
        },
      )}`,
      { options: { budget: { tokens: 1_000_000 } } },
    );
    const view = await outcomeOf(hub, id);
    expect(view.state).toBe("completed");
    const coordinator = view.sessions.find(({ role }) => role === "coordinator");
    const log = await hub.events(coordinator?.sessionId ?? "");
    const texts = log
      .filter(({ kind }) => kind === "tool.returned")
      .map(({ body }) => textOf(body));
    for (const [at, [step, why]] of attempts.entries()) {
      const text = texts[at] ?? "";
      const fits = typeof why === "string" ? text === why : why.test(text);
      expect([step, text, fits]).toEqual([step, text, true]);
    }
    const refused = log.filter(({ kind }) => kind === "request.refused");
    // All but the list, which is empty.
    expect(refused.length).toBeGreaterThanOrEqual(attempts.length - 1);
    expect(refused.map(({ body }) => body["reason"])).toContain("Session not found");

    const flooded = texts[attempts.length + 1] ?? "";
    const spent = `one orchestration may make ${MOST} sessions, and this one has made them`;
    expect(flooded.split(spent)).toHaveLength(8 - (MOST - 1) + 1);
    expect(texts[attempts.length + 2]).toBe(spent);
    expect(view.sessions.filter(({ role }) => role === "task")).toHaveLength(MOST);
    expect(texts[attempts.length + 3]).not.toContain(foreign.id);
    expect(texts[attempts.length + 4]).toMatch(/^404 only the repository and the model/);

    // Its children have nobody do anything for them, and nobody else was touched.
    const first = view.sessions.find(({ role }) => role === "task");
    const made = await hub.events(first?.sessionId ?? "");
    const answer = made.find(({ kind }) => kind === "tool.returned")?.body["text"];
    expect(answer).toContain("403");
    expect(made.find(({ kind }) => kind === "door.refused")?.body).toMatchObject({
      door: "tools",
      reason: "the session has no tools of the hub",
    });
    const untouched = (await orchestrationOf(hub, elsewhere)).sessions;
    expect(untouched).toHaveLength(2);
    expect(untouched.find(({ sessionId }) => sessionId === theirChild)?.place).toBe("current");
    for (const one of [foreign.id, theirChild])
      expect((await hub.events(one)).map(({ kind }) => kind)).not.toContain("message.sent");
    expect(await hub.get(foreign.id)).toMatchObject({ status: "initializing", error: null });
    expect(hub.output()).not.toContain('"level":50');

    // The token of its sandbox speaks at no door but those of sandboxes.
    const slow = await coordinate(hub, `Wait.\n${standIn({ sleepMs: 20_000 })}`);
    const { sessions } = await orchestrationOf(hub, slow);
    await using database = openDatabase({ url: house.databaseUrl, maxConnections: 1 });
    const token = await createTokenStore(database).issue(sessions[0]?.sessionId ?? "");
    for (const [method, path] of [
      ["GET", "/api/v1/sessions"],
      ["GET", `/api/v1/sessions/${foreign.id}`],
      ["GET", "/api/v1/tokens"],
      ["POST", "/api/v1/tokens"],
      ["GET", "/api/v1/deliveries"],
      ["POST", `/api/v1/orchestrations/${slow}/cancel`],
      ["POST", "/mcp"],
      ["POST", "/api/webhooks/claude"],
    ] as const) {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const answered = await hub.fetch(path, {
        method,
        headers,
        ...(method === "POST" ? { body: "{}" } : {}),
      });
      expect([method, path, answered.status]).toEqual([method, path, 401]);
    }
  },
);
