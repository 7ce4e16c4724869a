import { randomUUID } from "node:crypto";
import { sign } from "@octokit/webhooks-methods";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { z } from "zod";
import {
  CLAUDE,
  Failure,
  GITHUB_SECRET,
  recordedComment,
  startContractHub,
} from "./kit/hub/contract-hub.ts";
import type { ContractHub } from "./kit/hub/contract-hub.ts";
import { HUB_SECRET } from "./kit/hub/hub.ts";
import { MALFORMED, MISFITS } from "./kit/hub/misfits.ts";

// Every answer of a running hub is held against the contract's file by the kit, which throws when one does not fit.

const UNKNOWN = "0190f5fe-7c00-7a00-8abc-012345678901";
const OTHER_SIGNATURE = await sign(GITHUB_SECRET, '{"a":1}');
const SESSION = {
  type: "implementation",
  project: { repository: "acme/webapp", requirements: "Say hello" },
};

let hub: ContractHub;
beforeAll(async () => {
  hub = await startContractHub(inject("databaseServer"));
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
});

describe("system", () => {
  test("health needs no token and gives no internals", async () => {
    const { status, body } = await hub.call("get /health", "/health", {
      headers: { authorization: "none" },
    });
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(hub.contract.properties("HealthCheckResponse"));
    const startup = z.object({ milestones: z.array(z.unknown()).min(1) }).parse(body["startup"]);
    expect(startup.milestones[0]).toMatchObject({ name: expect.any(String) });
    expect(JSON.stringify(body)).not.toContain(hub.hub.dir);
  });

  test("webhook health names the providers", async () => {
    const { status, body } = await hub.call("get /api/webhooks/health", "/api/webhooks/health", {
      headers: { authorization: "none" },
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      status: "healthy",
      providers: [
        { name: "github", handlerCount: expect.any(Number) },
        { name: "claude", handlerCount: 6 },
      ],
    });
  });
});

describe("documented examples, word for word (there are four)", () => {
  test("createSession", async () => {
    expect(Object.keys(hub.contract.examples)).toHaveLength(4);
    const { message, session } = await hub.acceptedSession(hub.contract.examples["createSession"]);
    expect(message).toBe("Session created successfully");
    expect(session).toMatchObject({
      type: "implementation",
      status: "initializing",
      containerId: expect.stringMatching(/^claude-session-[0-9a-f]{8}/),
      project: { repository: "acme/webapp", branch: "feature/user-auth" },
      dependencies: [],
      output: null,
      error: null,
    });
  });

  test("createSessionWithDependencies", async () => {
    const { session } = await hub.acceptedSession(
      hub.contract.examples["createSessionWithDependencies"],
    );
    expect(session).toMatchObject({
      dependencies: [
        "550e8400-e29b-41d4-a716-446655440000",
        "660e8400-e29b-41d4-a716-446655440001",
      ],
    });
  });

  test("startSession", async () => {
    const { session } = await hub.acceptedSession(hub.contract.examples["startSession"]);
    expect(session.id).toBe("550e8400-e29b-41d4-a716-446655440000");
  });

  test("orchestrate", async () => {
    const { data } = await hub.accepted(hub.contract.examples["orchestrate"]);
    expect(data).toMatchObject({
      orchestrationId: expect.any(String),
      summary: expect.any(String),
    });
    const sessions = z
      .array(z.looseObject({ id: z.uuid() }))
      .length(1)
      .parse(data["sessions"]);
    sessions.forEach(hub.checkSession);
    expect((await hub.hub.until(sessions[0]?.id ?? "")).status).toBe("completed");
  });
});

describe("sessions", () => {
  test("one runs from create to output", async () => {
    const { session } = await hub.acceptedSession({ type: "session.create", session: SESSION });
    expect(session).not.toHaveProperty("project.branch");
    const started = await hub.acceptedSession({ type: "session.start", sessionId: session.id });
    expect(started.session.id).toBe(session.id);
    await hub.hub.until(session.id);
    const got = await hub.acceptedSession({ type: "session.get", sessionId: session.id });
    expect(got.session).toMatchObject({ status: "completed", error: null });

    const { data } = await hub.accepted({ type: "session.output", sessionId: session.id });
    expect(data).toMatchObject({ sessionId: session.id, status: "completed" });
    expect(hub.contract.schemaMisfits("SessionOutput", data["output"])).toEqual([]);
    expect(Object.keys(z.looseObject({}).parse(data["output"]))).toEqual(
      hub.contract.properties("SessionOutput"),
    );

    const again = await hub.claude({ type: "session.start", sessionId: session.id });
    expect(again.status).toBe(409);
    expect(again.body["error"]).toBe("Session was already started (status: completed)");
  });

  test("one that waits answers what it waits for, however often it is asked", async () => {
    const first = await hub.acceptedSession({ type: "session.create", session: SESSION });
    const second = await hub.acceptedSession({
      type: "session.create",
      session: { ...SESSION, dependencies: [first.session.id, "none", " "] },
    });
    for (let time = 0; time < 2; time += 1) {
      const { message, data, session } = await hub.acceptedSession({
        type: "session.start",
        sessionId: second.session.id,
      });
      expect(message).toBe("Session queued, waiting for dependencies");
      expect(session.status).toBe("pending");
      expect(data["waitingFor"]).toEqual([first.session.id]);
    }
  });

  test("metadata and options stand beside the session or inside, and inside wins", async () => {
    const { session } = await hub.acceptedSession({
      type: "session.create",
      session: { ...SESSION, metadata: { who: "inside" }, options: { timeout: 60 } },
      metadata: { who: "beside", ticket: 7 },
      options: { timeout: 30, autoStart: false },
    });
    expect(session).toMatchObject({
      metadata: { who: "inside", ticket: 7 },
      options: { timeout: 60, autoStart: false },
    });
  });

  test("a request in `data` is taken as well", async () => {
    const wrapped = { data: { type: "session.create", session: SESSION } };
    expect((await hub.acceptedSession(wrapped)).message).toBe("Session created successfully");
  });

  test("lists are filtered and paged", async () => {
    const { data } = await hub.accepted({ type: "orchestrate", project: SESSION.project });
    const { orchestrationId } = z.object({ orchestrationId: z.uuid() }).parse(data);
    expect(data["status"]).toBe("initializing");
    const one = await hub.accepted({ type: "session.list", orchestrationId });
    const sessions = z.array(z.looseObject({})).parse(one.data["sessions"]);
    expect(sessions).toHaveLength(1);
    sessions.forEach(hub.checkSession);

    const page = await hub.accepted({ type: "session.list", limit: 1 });
    expect(page.data["sessions"]).toHaveLength(1);
    const cursor = z.uuid().parse(page.data["nextCursor"]);
    const next = await hub.accepted({ type: "session.list", limit: 1, cursor });
    expect(next.data["sessions"]).not.toEqual(page.data["sessions"]);
  });
});

describe("refusals", () => {
  test.each(MISFITS)("%s: 400 that names the field", async (_, body, named) => {
    const answer = await hub.claude(body);
    expect(answer.status).toBe(400);
    expect(answer.body["error"]).toContain(named);
  });

  test.each(MALFORMED)("%s: 400", async (_, text, named) => {
    const answer = await hub.claude(text);
    expect(answer.status).toBe(400);
    expect(answer.body["error"]).toContain(named);
  });

  test("what is no UTF-8: 400", async () => {
    const body = Buffer.from('{"type":"\xff\xfe"}', "latin1");
    const response = await hub.hub.fetch("/api/webhooks/claude", { method: "POST", body });
    expect(response.status).toBe(400);
    expect(Failure.parse(await response.json()).error).toContain("UTF-8");
  });

  test.each(["session.get", "session.start", "session.output"])(
    "%s of an unknown session: 404",
    async (type) => {
      const answer = await hub.claude({ type, sessionId: UNKNOWN });
      expect(answer.status).toBe(404);
      expect(answer.body).toEqual({ success: false, error: "Session not found" });
    },
  );

  test("an unknown provider: 404", async () => {
    const answer = await hub.call(CLAUDE, "/api/webhooks/gitlab", { method: "POST", body: "{}" });
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({ success: false, error: "Webhook provider not found" });
  });

  test.each(["", "Bearer", "Bearer wrong", `Basic ${btoa(`x:${HUB_SECRET}`)}`, HUB_SECRET])(
    "with the authorization %j: 401",
    async (authorization) => {
      const answer = await hub.claude({ type: "session.list" }, { headers: { authorization } });
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    },
  );

  // The contract's file has no 413; the answer has the form of its other failures.
  test("a body that is too large: 413", async () => {
    for (const body of ["x".repeat(3_000_000), new Blob(["x".repeat(3_000_000)]).stream()]) {
      const response = await hub.hub.fetch("/api/webhooks/claude", {
        method: "POST",
        body,
        ...(typeof body === "string" ? {} : { duplex: "half" }),
      });
      expect(response.status).toBe(413);
      const answer: unknown = await response.json();
      expect(hub.contract.schemaMisfits("ErrorResponse", Failure.parse(answer))).toEqual([]);
    }
  });
});

describe("GitHub", () => {
  test("real deliveries are taken once", async () => {
    const body = await recordedComment();
    const id = randomUUID();
    const first = await hub.github("issue_comment", body, { "x-github-delivery": id });
    expect(first.status).toBe(200);
    expect(first.body["message"]).toBe("Webhook processed successfully");
    const second = await hub.github("issue_comment", body, { "x-github-delivery": id });
    expect(second.body["message"]).toBe("Delivery was received before");
    expect((await hub.github("ping", '{"zen":"Keep it logically awesome."}')).status).toBe(200);
  });

  test.each([
    ["missing", undefined],
    ["wrong", `sha256=${"0".repeat(64)}`],
    ["cut off", "sha256="],
    ["of another kind", `sha1=${"0".repeat(40)}`],
    ["of another body", OTHER_SIGNATURE],
  ])("a signature that is %s: 401", async (_, signature) => {
    const answer = await hub.github("issues", '{"a":2}', { "x-hub-signature-256": signature });
    expect(answer.status).toBe(401);
  });

  test("the bearer token takes no signature's place: 401", async () => {
    const answer = await hub.github("issues", "{}", {
      "x-hub-signature-256": undefined,
      authorization: `Bearer ${HUB_SECRET}`,
    });
    expect(answer.status).toBe(401);
  });

  test("an event that the hub has nothing to do with: 404", async () => {
    const answer = await hub.github("gollum", "{}");
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({ success: false, error: "Webhook event not handled" });
  });

  test("odd but signed bodies do no harm", async () => {
    expect(await hub.githubStatus("issues", '{"repository":{"full_name":"a\\u0000b"}}')).toBe(200);
    expect(await hub.githubStatus("issues", '{"action":5,"sender":[]}')).toBe(200);
    expect(await hub.githubStatus("issues", "[]")).toBe(400);
    expect(await hub.githubStatus("issues", "{")).toBe(400);
  });

  test("a form: 400 that says what to choose", async () => {
    const answer = await hub.githubStatus("issues", "payload=%7B%7D", {
      "content-type": "application/x-www-form-urlencoded",
    });
    expect(answer).toBe(400);
  });
});

test("every operation and status of the file was met", () => {
  // A healthy hub has neither; src/http/http.test.ts makes them.
  const elsewhere = [`${CLAUDE} 429`, `${CLAUDE} 500`];
  const named = Object.entries(hub.contract.operations).flatMap(([operation, statuses]) =>
    statuses.map((status) => `${operation} ${status}`),
  );
  expect([...hub.met, ...elsewhere].toSorted()).toEqual(named.toSorted());
});
