import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attack, CONFINED, noContainers, openConfined } from "../kit/attacks/attack.ts";
import { FORGE_TOKEN, MODEL_KEY, openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import type { House } from "../kit/hub/house.ts";
import { HUB_SECRET } from "../kit/hub/hub.ts";
import { standIn } from "../kit/agent/stand-in.ts";

const GITHUB_SECRET = "secret-of-github-deliveries-123";

test.skipIf(noContainers !== null)(
  `attacks are tried in containers (skipped where no container engine can be started: ${noContainers ?? ""})`,
  () => expect(CONFINED.map(({ name }) => name)).toContain("docker"),
);

describe.each(CONFINED)("from inside a sandbox of $name", (runtime) => {
  let house: House;
  beforeAll(async () => {
    house = await openConfined(runtime, {
      GITHUB_WEBHOOK_SECRET: GITHUB_SECRET,
      CLAUDE_HUB_SESSION_MAX_TOKENS: "2000",
    });
  });
  afterAll(async () => {
    await house[Symbol.asyncDispose]();
  });

  async function secrets(): Promise<string[]> {
    const database = await readFile(join(house.hub.dir, "postgres/password"), "utf8");
    return [FORGE_TOKEN, MODEL_KEY, HUB_SECRET, GITHUB_SECRET, database.trim()];
  }

  test("no secret is anywhere in the sandbox: environment, arguments, files, git's settings", async () => {
    const look = [
      "env",
      "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'",
      "git config --list --show-origin",
      "git remote -v",
      "find / -xdev -type f -size -200k -not -path '/proc/*' -not -path '/usr/*' -not -path '/sys/*' 2>/dev/null | head -3000 | xargs -d '\\n' cat 2>/dev/null | head -c 4000000",
      "cat /spool/* /var/spool/runner/* $HOME/.* $HOME/../spool/* 2>/dev/null",
    ].join("; ");
    const { ended, branch } = await attack(house, [
      { run: `( ${look} ) > dump.txt 2>&1; wc -c dump.txt` },
      { commit: "Take what can be seen" },
    ]);
    expect(ended).toMatchObject({ status: "completed", error: null });
    // What is pushed goes to the forge as it is; the log would have been redacted.
    const dump = await house.forge.git(REPOSITORY, "show", `${branch}:dump.txt`);
    expect(dump).toContain("ANTHROPIC_API_KEY=added-by-the-gateway");
    expect(dump).toContain("user.email=");
    for (const secret of await secrets()) expect(dump.includes(secret)).toBe(false);
  });

  test("a secret that an agent says is unreadable in its log, and never in the hub's own", async () => {
    const { events } = await attack(house, [
      { print: `the token is ${FORGE_TOKEN} and ghp_${"a1".repeat(20)}` },
      { stderr: `key ${MODEL_KEY}` },
      { result: { summary: `secret: ${HUB_SECRET}` } },
    ]);
    const log = JSON.stringify(events);
    expect(log).toContain("the token is *** and ***");
    for (const secret of await secrets()) {
      expect(log.includes(secret)).toBe(false);
      expect(house.hub.output().includes(secret)).toBe(false);
    }
  });

  test("the hub, its files, other sandboxes and the network are out of reach", async () => {
    const other = await house.hub.create(session(`Other.\n${standIn({ sleepMs: 20_000 })}`));
    await house.hub.start(other.id);
    await house.hub.until(other.id, { statuses: ["running"] });
    const port = new URL(house.hub.url).port;
    const connect = (host: string) =>
      `node -e "require('net').connect(${port},'${host}').on('connect',()=>console.log('REACHED')).on('error',(e)=>console.log(e.code))"`;
    const { outputs } = await attack(house, [
      { run: connect("127.0.0.1") },
      { run: connect("10.255.255.1") },
      { run: "tail -n +3 /proc/net/dev | cut -d: -f1" },
      { run: `cat ${house.hub.dir}/postgres/password; ls ${house.hub.dir}/sandboxes; echo done` },
      { run: `ls /proc | grep -c '^[0-9]' ; cat /proc/[0-9]*/cmdline | tr '\\0' ' '` },
      { run: "touch /etc/x /usr/x /x 2>&1; echo done" },
      { run: "kill -9 1; echo still here" },
      { run: "ls -la /root /home 2>&1; id -u" },
    ]);
    const [loopback, outside, interfaces, files, processes, system] = outputs;
    expect(loopback).toContain("ECONNREFUSED");
    expect(outside).toMatch(/ENETUNREACH|EHOSTUNREACH/);
    expect(interfaces?.trim()).toBe("lo");
    expect(files).not.toContain("claude-session");
    expect(files).toContain("No such file");
    expect(processes).not.toContain(
      `claude-session-${other.id.slice(0, 8)}-${other.id.slice(-12)}`,
    );
    expect(system).toMatch(/Read-only|Permission denied/);
    expect(outputs.join("\n")).not.toContain("REACHED");
    await house.hub.fetch(`/api/v1/sessions/${other.id}/cancel`, { method: "POST" });
    await house.hub.until(other.id);
  });

  test("pushes outside of the policy are refused and told; the forge does not change", async () => {
    const { branch: taken } = await attack(house, [
      { write: { path: "a.txt", content: "a" } },
      { commit: "Another session's work" },
    ]);
    await house.forge.git(REPOSITORY, "branch", "claude/by-hand", "main");
    const before = await house.forge.refs(REPOSITORY);
    const { events, branch } = await attack(house, [
      { write: { path: "b.txt", content: "b" } },
      { commit: "Work" },
      { push: "HEAD:refs/heads/main" },
      { push: "HEAD:refs/heads/feature" },
      { push: "HEAD:refs/tags/v1" },
      { push: `+HEAD:refs/heads/${taken}` },
      { push: ":refs/heads/main" },
      { push: "HEAD:refs/heads/claude/by-hand" },
      { push: "+HEAD~1:refs/heads/main" },
      { push: `:refs/heads/${taken}` },
      { push: "HEAD:refs/pull/1/head" },
      {
        run: "git push origin HEAD:refs/heads/$(git branch --show-current) HEAD:refs/heads/main 2>&1",
      },
      { run: "mkdir -p .github/workflows && echo 'on: push' > .github/workflows/x.yml" },
      { commit: "Add a workflow" },
      { push: true },
      { run: "git reset -q --hard HEAD~1" },
    ]);
    const after = await house.forge.refs(REPOSITORY);
    delete after[`refs/heads/${branch}`];
    expect(after).toEqual(before);
    const refusals = events.filter(({ kind }) => kind === "push.refused");
    expect(refusals.length).toBeGreaterThanOrEqual(10);
    for (const { body } of refusals) expect(body["reason"]).toMatch(/\w/);
    expect(JSON.stringify(refusals)).toMatch(/workflows/);
  });

  test("no other repository can be reached with a session's token", async () => {
    await house.forge.repository("octo/private", "greeter");
    const { outputs, events } = await attack(house, [
      { run: "git ls-remote $(git remote get-url origin | sed s/greeter/private/) 2>&1" },
      { run: "git ls-remote $(git remote get-url origin | sed s/greeter/..%2fprivate/) 2>&1" },
      {
        run: "git push $(git remote get-url origin | sed s/greeter/private/) HEAD:refs/heads/claude/x 2>&1",
      },
      {
        run: "curl -s $(git remote get-url origin | sed 's#/git/.*#/runner/job#') 2>&1 || node -e \"fetch(process.argv[1]).then(async(r)=>console.log(r.status, await r.text()))\" $(git remote get-url origin | sed 's#/git/.*#/runner/job#')",
      },
    ]);
    expect(outputs[0]).toMatch(/octo\/greeter alone|403/);
    expect(outputs[1]).not.toMatch(/refs\/heads/);
    expect(events.filter(({ kind }) => kind === "door.refused")[0]?.body).toMatchObject({
      door: "git",
      reason: "This session works on octo/greeter alone",
      count: 1,
    });
    expect(Object.keys(await house.forge.refs("octo/private"))).not.toContain(
      "refs/heads/claude/x",
    );
    // The runner's door is not the agent's.
    expect(outputs[2]).toMatch(/octo\/greeter alone|403/);
    expect(outputs[3]).toContain("only the repository and the model");
  });

  test("a session's budget ends its calls to the model", async () => {
    const { events } = await attack(house, [
      { model: { text: "x".repeat(4_000), maxTokens: 400, calls: 8 } },
    ]);
    const kinds = events.map(({ kind }) => kind);
    expect(kinds).toContain("budget.exceeded");
    expect(kinds.filter((kind) => kind === "budget.exceeded")).toHaveLength(1);
    expect(JSON.stringify(events)).toContain("Session budget of 2000 tokens is used up");
  });
});

test("repository names cannot be made to leave their place", async () => {
  await using house = await openHouse();
  for (const repository of [
    "../../etc",
    "octo/..",
    "octo/.git",
    "-x/y",
    "octo/a b",
    "octo/a\u0000",
    "octo/%2e%2e",
    "a/b/c",
  ]) {
    const { status } = await house.hub.claude({
      type: "session.create",
      session: { type: "implementation", project: { repository, requirements: "x" } },
    });
    expect(status).toBe(400);
  }
});
