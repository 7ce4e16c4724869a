import { expect, test } from "vitest";
import { z } from "zod";
import { Approval } from "../../src/core/approval.ts";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import type { TestHub } from "../kit/hub/hub.ts";
import type { Scenario } from "../kit/model/scenario.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const Orchestrated = z.object({
  orchestrationId: z.string(),
  sessions: z.array(z.object({ id: z.string() })),
});
const List = z.object({ approvals: z.array(Approval) });

async function approvalsOf(hub: TestHub, id: string): Promise<Approval[]> {
  const response = await hub.fetch(`/api/v1/sessions/${id}/approvals`);
  return List.parse(await response.json()).approvals;
}

/** Waits for the question with that number. */
async function asked(hub: TestHub, id: string, number: number): Promise<Approval> {
  return await waitFor(
    async () => (await approvalsOf(hub, id)).find((one) => one.number === number),
    { timeoutMs: 60_000, what: `question ${number}` },
  );
}

async function answer(hub: TestHub, id: string, approval: Approval, body: unknown) {
  const response = await hub.fetch(`/api/v1/sessions/${id}/approvals/${approval.id}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  await response.body?.cancel();
  return response.status;
}

async function bodiesOf(hub: TestHub, id: string, kind: string) {
  return (await hub.events(id)).filter((event) => event.kind === kind).map(({ body }) => body);
}

test(
  "the real Claude Code does what a person allows, and not what one denies, also after a crash of the hub",
  { timeout: 180_000 },
  async () => {
    const scenario: Scenario = {
      conversations: [
        {
          match: "The careful task",
          steps: [
            step({ toolCalls: [bash("touch allowed.txt")] }),
            step({ toolCalls: [bash("touch denied.txt")] }),
            step({ toolCalls: [bash("git add -A && git commit -qm Files")] }),
            step({ structured: { summary: "I did what I may.", nextSteps: [] } }),
          ],
        },
      ],
    };
    // One is asked for by the operator, the other one by the repository.
    const env = { CLAUDE_HUB_ASK_TOOLS: "Bash(touch allowed*), WebFetch" };
    await using house = await openHouse({ agent: "real", scenario, env });
    const { hub, forge } = house;
    const settings = 'ask:\n  tools: ["Bash(touch denied*)"]\n';
    await forge.commit(REPOSITORY, { ".github/claude-hub.yml": settings });
    const made = await hub.create(session("The careful task"));
    await hub.start(made.id);
    const first = await asked(hub, made.id, 1);
    expect(first).toMatchObject({ kind: "tool", subject: "Bash", decision: null });
    expect(first.detail).toContain("touch allowed.txt");
    await hub.kill();
    await hub.restart();
    expect(await answer(hub, made.id, first, { decision: "perhaps" })).toBe(400);
    expect(await answer(hub, made.id, first, { decision: "allow" })).toBe(200);
    expect(await answer(hub, made.id, first, { decision: "deny" })).toBe(409);
    const second = await asked(hub, made.id, 2);
    expect(second).toMatchObject({ kind: "tool", subject: "Bash" });
    expect(second.detail).toContain("touch denied.txt");
    const no = { decision: "deny", note: "Not to\u200bday" };
    expect(await answer(hub, made.id, second, no)).toBe(200);
    expect(await hub.until(made.id)).toMatchObject({ status: "completed", error: null });
    const branch = `claude/implementation-${made.id.slice(-8)}`;
    const files = await forge.git(REPOSITORY, "ls-tree", "--name-only", branch);
    expect(files).toContain("allowed.txt");
    expect(files).not.toContain("denied.txt");
    expect(await bodiesOf(hub, made.id, "tool.returned")).toContainEqual(
      expect.objectContaining({ isError: true, text: expect.stringContaining("Not today") }),
    );
    expect(await bodiesOf(hub, made.id, "approval.answered")).toMatchObject([
      { number: 1, decision: "allow", by: "api" },
      { number: 2, decision: "deny", by: "api", note: "Not today" },
    ]);
    expect(await bodiesOf(hub, made.id, "approval.requested")).toHaveLength(2);
  },
);

test(
  "a host waits for a person; without an answer it is refused, and asked for once",
  { timeout: 120_000 },
  async () => {
    const env = {
      CLAUDE_HUB_ASK_HOSTS: "ask.example.com, late.example.com",
      CLAUDE_HUB_APPROVAL_MS: "8000",
      // Nobody is there: the name of a host that is allowed is looked up, and not found.
      CLAUDE_HUB_EGRESS_DNS: "127.0.0.1:9",
    };
    await using house = await openHouse({ env });
    const { hub } = house;
    const steps = [get("ask.example.com"), get("late.example.com"), get("late.example.com")];
    const made = await hub.create(session(`Work.\n${standIn(...steps)}`));
    await hub.start(made.id);
    const first = await asked(hub, made.id, 1);
    expect(first).toMatchObject({ kind: "host", subject: "ask.example.com:80" });
    const all = await hub.fetch("/api/v1/approvals");
    const waiting = { ...first, sessionId: made.id, repository: REPOSITORY };
    expect(await all.json()).toEqual({ approvals: [waiting] });
    expect(await answer(hub, made.id, first, { decision: "allow" })).toBe(200);
    const second = await asked(hub, made.id, 2);
    expect(await hub.until(made.id)).toMatchObject({ status: "completed" });
    expect(await answer(hub, made.id, second, { decision: "allow" })).toBe(409);
    const texts = (await bodiesOf(hub, made.id, "tool.returned")).map(({ text }) => text);
    expect(texts).toEqual([
      expect.stringContaining("its address could not be found"),
      expect.stringContaining("nobody has answered in time"),
      expect.stringContaining("nobody has answered in time"),
    ]);
    expect(await (await hub.fetch("/api/v1/approvals")).json()).toEqual({ approvals: [] });
    expect(await approvalsOf(hub, made.id)).toMatchObject([
      { decision: "allow" },
      { decision: "deny", answeredBy: "the time limit" },
    ]);

    // A token of an orchestration is what an agent holds: it does not answer itself.
    const task = { id: "get", title: "Get", type: "analysis" };
    const requirements = `Get it.\n${standIn(get("ask.example.com"))}`;
    const { orchestrationId, sessions } = Orchestrated.parse(
      await post(hub, "/orchestrations", {
        project: { repository: REPOSITORY, requirements: "Get it." },
        plan: { tasks: [{ ...task, requirements }] },
        autoStart: true,
      }),
    );
    const [own] = sessions;
    const open = await asked(hub, own?.id ?? "", 1);
    const limited = await post(hub, "/tokens", { name: "own", scopes: ["write"], orchestrationId });
    const answered = await fetch(`${hub.url}/api/v1/sessions/${own?.id}/approvals/${open.id}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${z.object({ token: z.string() }).parse(limited).token}`,
      },
      body: JSON.stringify({ decision: "allow" }),
    });
    expect([answered.status, await answered.text()]).toEqual([
      403,
      expect.stringContaining("This takes a person"),
    ]);
    expect(await hub.until(own?.id ?? "")).toMatchObject({ status: "completed" });
    expect(await approvalsOf(hub, own?.id ?? "")).toMatchObject([
      { decision: "deny", answeredBy: "the time limit" },
    ]);
  },
);

async function post(hub: TestHub, path: string, body: unknown): Promise<unknown> {
  const response = await hub.fetch(`/api/v1${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return await response.json();
}

const get = (host: string) => ({ run: `curl -s http://${host}/` });

const bash = (command: string) => ({ name: "Bash", input: { command, description: "x" } });

function step(more: object): Scenario["conversations"][number]["steps"][number] {
  return { toolCalls: [], delayMs: 0, pieceMs: 0, hangUp: false, ...more };
}
