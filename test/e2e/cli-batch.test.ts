import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { openCli, openTerminal, runCli } from "../kit/hub/cli.ts";
import type { CliOptions } from "../kit/hub/cli.ts";
import { openHouse, REPOSITORY } from "../kit/hub/house.ts";
import type { House } from "../kit/hub/house.ts";
import { HUB_SECRET } from "../kit/hub/hub.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { createTempDir } from "../kit/temp-dir.ts";

// Each starts the command line some ten times, a process each.
vi.setConfig({ testTimeout: 180_000 });

let house: House;
let temp: Awaited<ReturnType<typeof createTempDir>>;
let options: CliOptions;
beforeAll(async () => {
  temp = await createTempDir("cli-batch");
  house = await openHouse({
    env: { CLAUDE_HUB_MAX_SESSIONS: "20", CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "20" },
  });
  const env = { HOME: temp.path, CLAUDE_HUB_URL: house.hub.url, CLAUDE_HUB_TOKEN: HUB_SECRET };
  options = { cwd: temp.path, env: { ...env, DEFAULT_GITHUB_OWNER: "octo" } };
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

const hub = (...args: string[]) => runCli(args, options);

const Session = z.looseObject({
  id: z.uuid(),
  status: z.string(),
  dependencies: z.array(z.string()),
  metadata: z.record(z.string(), z.unknown()),
});
const Tasks = z.array(z.looseObject({ task: z.looseObject({ id: z.string() }), session: Session }));

/** Writes a file of tasks; JSON is YAML, too. */
async function file(name: string, tasks: Record<string, unknown>[]): Promise<string> {
  const path = join(temp.path, name);
  await writeFile(path, JSON.stringify(tasks, null, 2));
  return path;
}

const SLOW = `Slow.\n${standIn({ sleepMs: 120_000 })}`;
const FAIL = `Fail.\n${standIn({ exit: 3 })}`;

test("a file in YAML: its graph, its run, its summary, and the graph of the sessions", async () => {
  const path = join(temp.path, "tasks.yaml");
  await writeFile(
    path,
    `# Older words and newer ones
- { repo: greeter, command: Core, id: core, issue: 7, resourceLimits: { memory: 128m, pidsLimit: "64" } }
- { repo: ${REPOSITORY}, command: API, id: api, needs: [core], type: testing }
- { repo: ${REPOSITORY}, command: Docs, needs: [api, core], type: analysis }
`,
  );
  const dry = await hub("batch", path, "--dry-run");
  expect(dry.stdout).toBe(`core  greeter  implementation  Core
└─ api  ${REPOSITORY}  testing  API
   └─ task-3  ${REPOSITORY}  analysis  Docs  (after core)
`);
  expect((await hub("list", "--json")).stdout).toBe("[]\n");

  const done = await hub("batch", path, "--json");
  expect([done.code, done.stderr]).toEqual([0, expect.stringMatching(/^core: completed/m)]);
  const [core, api, docs] = Tasks.parse(JSON.parse(done.stdout)).map(({ session }) => session);
  expect(core).toMatchObject({
    metadata: { issue: 7, task: "core" },
    options: { limits: { memory: "128m", pidsLimit: 64 } },
  });
  expect(api?.dependencies).toEqual([core?.id]);
  expect(docs?.dependencies).toEqual([api?.id, core?.id]);
  expect([core, api, docs].map((one) => one?.metadata["batch"])).toEqual(
    Array.from({ length: 3 }, () => core?.metadata["batch"]),
  );

  // From any of them the whole is found.
  for (const id of [core?.id, docs?.id]) {
    const { stdout } = await hub("graph", id ?? "");
    expect(stdout).toMatch(
      /^\S+ +completed +core .*\n└─ \S+ +completed +api .*\n {3}└─ .*task-3.*\(after \S+\)\n$/,
    );
  }
  const watched = await hub("graph", api?.id ?? "", "--watch", "--json");
  expect(z.array(Session).parse(JSON.parse(watched.stdout))).toHaveLength(3);
  expect((await hub("graph", "019a0000-0000-7000-8000-000000000000")).code).toBe(3);
});

test("what fails is told by the exit code, and recovered with what depends on it", async () => {
  const path = await file("fails.json", [
    { repo: REPOSITORY, command: FAIL, id: "first" },
    { repo: REPOSITORY, command: "Then.", id: "then", needs: ["first"] },
    { repo: REPOSITORY, command: "Last.", id: "last", needs: ["then"] },
    { repo: REPOSITORY, command: "Other.", id: "other" },
  ]);
  const run = await hub("batch", path);
  expect(run.code).toBe(1);
  expect(run.stdout).toMatch(
    /^first +failed .*\nthen +cancelled .*\nlast +cancelled .*\nother +completed/m,
  );
  const id = /^first +failed +(\S+)/m.exec(run.stdout)?.[1] ?? "";
  const other = /^other +completed +(\S+)/m.exec(run.stdout)?.[1] ?? "";

  const recovered = await hub("recover", id, "--with-dependents", "--json");
  const [first, then, last] = z.array(Session).parse(JSON.parse(recovered.stdout));
  expect(first).toMatchObject({ metadata: { recovers: id, task: "first" } });
  expect([then?.dependencies, last?.dependencies]).toEqual([[first?.id], [then?.id]]);
  // The task is the same, so it fails again; what matters is that it was tried.
  expect(await house.hub.until(first?.id ?? "")).toMatchObject({ status: "failed" });
  expect(await hub("recover", other)).toMatchObject({
    code: 5,
    stderr: expect.stringContaining("nothing to recover"),
  });

  const waits = Session.parse(
    JSON.parse((await hub("start", REPOSITORY, "Later.", "--no-start", "--json")).stdout),
  );
  expect((await hub("recover", waits.id)).stdout).toContain("the same");
  expect(await house.hub.until(waits.id)).toMatchObject({ status: "completed" });
});

test("one that had begun goes on with its conversation", async () => {
  const { stdout } = await hub("start", REPOSITORY, SLOW, "--json");
  const { id } = Session.parse(JSON.parse(stdout));
  await house.hub.until(id, { statuses: ["running"] });
  expect(JSON.parse((await hub("sync", "--json")).stdout)).toMatchObject({ running: 1 });
  await hub("logs", id, "--tail", "1");
  expect((await hub("recover", id)).stdout).toContain("the same");
  expect((await hub("stop", id, "--wait", "--json")).code).toBe(0);
  const again = await hub("recover", id, "--json");
  const [next] = z.array(Session).parse(JSON.parse(again.stdout));
  expect(next).toMatchObject({ metadata: { recovers: id } });
  await hub("stop", "all", "--wait");
});

test("what the hub refuses leaves nothing behind; bad files are told with their place", async () => {
  const count = async () =>
    z.array(Session).parse(JSON.parse((await hub("list", "--limit", "500", "--json")).stdout));
  const before = (await count()).length;
  const large = {
    repo: REPOSITORY,
    command: "x",
    id: "large",
    resourceLimits: { memory: "9999g" },
  };
  const path = await file("large.json", [{ repo: REPOSITORY, command: "x" }, large]);
  const refused = await hub("batch", path);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/task large: .*memory: is more than/),
  });
  const after = await count();
  expect(after.slice(0, after.length - before).map(({ status }) => status)).toEqual(["cancelled"]);

  const cases: [string, RegExp][] = [
    [
      await file("circle.json", [{ repo: REPOSITORY, command: "x", id: "a", needs: ["a"] }]),
      /0\.needs\.0: a task cannot need itself/,
    ],
    [await file("owner.json", [{ repo: "a/../b", command: "x" }]), /task task-1: .*/],
    [join(temp.path, "none.yaml"), /cannot be read \(ENOENT\)/],
    [temp.path, /cannot be read \(EISDIR\)/],
  ];
  for (const [name, message] of cases)
    expect(await hub("batch", name)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(message),
    });
  const yaml = await runCli(["batch", "-"], { ...options, input: "- [\n" });
  expect(yaml).toMatchObject({ code: 2, stderr: expect.stringContaining("standard input: ") });
});

test("start-batch takes turns; interrupted, it says what it has not started", async () => {
  const path = await file("turns.json", [
    { repo: REPOSITORY, command: "One." },
    { repo: REPOSITORY, command: FAIL },
    { repo: REPOSITORY, command: SLOW },
    { repo: REPOSITORY, command: "Never." },
  ]);
  await using cli = openCli(["start-batch", path], options);
  await cli.shows(/^task-3: running/m);
  cli.interrupt();
  const { code, stdout, stderr } = await cli.ended();
  expect(code).toBe(130);
  // One that fails does not keep the others from their turn.
  expect(stdout).toMatch(
    /^task-1 +completed .*\ntask-2 +failed .*\ntask-3 +running .*\ntask-4 +initializing/m,
  );
  const left = /^not started: (\S+)$/m.exec(stderr)?.[1] ?? "";
  expect((await house.hub.get(left)).status).toBe("initializing");
  await hub("stop", "all", "--wait");
});

test("in a terminal progress is written over", async () => {
  const path = await file("two.json", [
    { repo: REPOSITORY, command: "One.", id: "one" },
    { repo: REPOSITORY, command: "Two.", id: "two", needs: ["one"] },
  ]);
  await using cli = openTerminal(["batch", path], options);
  const { code, stdout } = await cli.ended();
  expect(code).toBe(0);
  expect(stdout).toMatch(/░.* of 2 have ended/);
  expect(stdout).toContain("\u001b[J");
  expect(stdout.slice(stdout.lastIndexOf("\u001b[J"))).toMatch(
    /one +\S*completed[^]*two +\S*completed/,
  );
});
