import { once } from "node:events";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
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
/** As somebody on the hub's own machine, who has set up nothing. */
let local: CliOptions;
beforeAll(async () => {
  temp = await createTempDir("cli");
  house = await openHouse({
    env: { CLAUDE_HUB_MAX_SESSIONS: "20", CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "20" },
  });
  // Where it is kept when the operator names none.
  await writeFile(join(house.hub.dir, "webhook-secret"), `${HUB_SECRET}\n`, { mode: 0o600 });
  local = { cwd: temp.path, env: { HOME: temp.path, CLAUDE_HUB_DIR: house.hub.dir } };
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

const Shown = z.looseObject({
  id: z.uuid(),
  status: z.string(),
  project: z.looseObject({ repository: z.string(), context: z.string().optional() }),
  dependencies: z.array(z.string()),
  metadata: z.record(z.string(), z.unknown()),
  options: z.record(z.string(), z.unknown()),
  requestedAt: z.string().nullable(),
});

const hub = (...args: string[]) => runCli(args, local);

async function shown(...args: string[]) {
  const { code, stdout, stderr } = await hub(...args, "--json");
  expect([code, stderr]).toEqual([0, ""]);
  return Shown.parse(JSON.parse(stdout));
}

const SLOW = `Slow.\n${standIn({ sleepMs: 120_000 })}`;

test("a session from its start to its diff, piped", async () => {
  const work = `Write.\n${standIn({ write: { path: "a.txt", content: "one\n" } }, { result: { summary: "Wrote \u001b[31ma.txt." } })}`;
  const { code, stdout } = await hub("start", REPOSITORY, work, "--follow");
  expect(code).toBe(0);
  expect(stdout).not.toContain("\u001b");
  expect(stdout).toMatch(/session completed: Wrote/);
  const id = z.uuid().parse(stdout.split("\n")[0]);

  const got = await shown("show", id.slice(0, 30));
  expect(got).toMatchObject({ id, status: "completed", summary: expect.stringContaining("Wrote") });
  const text = await hub("show", id);
  expect(text.stdout).toMatch(/^status +completed$/m);
  expect(text.stdout).not.toContain("\u001b");
  expect((await hub("diff", id)).stdout).toContain("\n+one\n");

  const lines = (await hub("logs", id, "--tail", "2", "--json")).stdout.trim().split("\n");
  expect(
    lines.map((line) => z.looseObject({ kind: z.string() }).parse(JSON.parse(line)).kind).at(-1),
  ).toBe("session.completed");
  expect(lines).toHaveLength(2);
  const all = (await hub("logs", id, "--tail", "all", "--json")).stdout.trim().split("\n");
  expect(all.length).toBeGreaterThan(5);
  const next = await hub("continue", id.slice(0, 30), "Go on.", "--json");
  expect(JSON.parse(next.stdout)).toMatchObject({ continuesId: id, type: "implementation" });
  expect(await hub("continue", id, "Twice.")).toMatchObject({
    code: 5,
    stderr: expect.stringContaining("continue that one"),
  });

  const retried = await hub("retry", id, "--follow");
  expect([retried.code, retried.stdout]).toEqual([0, expect.stringMatching(/completed\n$/)]);
  expect((await hub("approvals", id)).stdout).toBe("It has asked nothing.\n");
  expect((await hub("approvals")).stdout).toBe("Nothing is asked.\n");
  expect(await hub("approve", id)).toMatchObject({ code: 3 });

  const list = await hub("list", "--repo", "greet", "--json");
  expect(
    z
      .array(Shown)
      .parse(JSON.parse(list.stdout))
      .map((one) => one.id),
  ).toContain(id);
  expect((await hub("list", "--status", "completed")).stdout).toMatch(
    new RegExp(`^${id.slice(0, 8)}.* completed +implementation +${REPOSITORY}`, "m"),
  );
});

test("a start says all that the API takes", async () => {
  const first = await shown("start", REPOSITORY, "Nothing.", "--no-start", "--issue", "42");
  expect(first).toMatchObject({
    status: "initializing",
    requestedAt: null,
    metadata: { issue: 42 },
  });
  expect(first.project.context).toContain(`issue #42 of ${REPOSITORY}`);
  const { id } = first;
  // What is found on this machine is not for an address that was named.
  expect((await hub("list", "--url", house.hub.url)).code).toBe(4);
  const env = { ...local.env, DEFAULT_GITHUB_OWNER: "octo", CLAUDE_HUB_TOKEN: HUB_SECRET };
  const words = `start greeter Nothing. --no-start --type review --pr 7 --depends-on ${id} --budget 2.50
    --budget-tokens 9000 --minutes 1.5 --memory 128m --pids 64 --cpu 512 --timeout 60 --branch main --url ${house.hub.url} --json`;
  const made = await runCli(words.split(/\s+/), { ...local, env });
  expect(Shown.parse(JSON.parse(made.stdout))).toMatchObject({
    type: "review",
    dependencies: [id],
    project: { repository: REPOSITORY, branch: "main" },
    metadata: { pr: 7 },
    options: {
      autoStart: false,
      timeout: 60,
      limits: { memory: "128m", pidsLimit: 64, cpuShares: 512 },
      budget: { costUsd: 2.5, tokens: 9000, minutes: 1.5 },
    },
  });
});

test("exit codes say what is wrong, in one sentence each", async () => {
  const failed = await hub("start", REPOSITORY, `Fail.\n${standIn({ exit: 3 })}`, "--follow");
  expect(failed.code).toBe(1);
  const unknown = "019a0000-0000-7000-8000-000000000000";
  await shown("start", REPOSITORY, "One.", "--no-start");
  await shown("start", REPOSITORY, "Two.", "--no-start");
  const closed = await closedAddress();
  const gone = { ...local.env, CLAUDE_HUB_URL: closed, CLAUDE_HUB_TOKEN: "x" };
  const bad = { ...local.env, CLAUDE_HUB_URL: house.hub.url, CLAUDE_HUB_TOKEN: "wrong-token" };
  const cases: [number, RegExp, string[], Record<string, string>?][] = [
    [2, /unknown command/, ["strat"]],
    [2, /missing required argument/, ["start", REPOSITORY]],
    [2, /cannot be used with/, ["start", REPOSITORY, "x", "--pr", "1", "--issue", "2"]],
    [2, /names no owner/, ["start", "greeter", "x"]],
    [2, /repository/, ["start", "a/..", "x"]],
    [2, /number of minutes/, ["start", REPOSITORY, "x", "--minutes", "soon"]],
    [2, /sum in dollars/, ["start", REPOSITORY, "x", "--budget", "much"]],
    [2, /no id of a session/, ["show", "../x"]],
    [3, /there is no session whose id begins with ffff/, ["show", "ffff"]],
    [3, /Session not found/, ["logs", unknown, "--follow"]],
    [3, /several sessions .*\n {2}0/, ["stop", "0"]],
    [4, /no hub answers at http:\/\/127\.0\.0\.1:\d+ \(.*ECONNREFUSED/, ["list"], gone],
    [4, /401: Unauthorized/, ["list"], bad],
    [4, /401: Unauthorized/, ["logs", unknown, "--follow"], bad],
    [4, /no profile/, ["list", "--profile", "other"]],
    [4, /no hub runs in/, ["list", "--dir", join(temp.path, "elsewhere")]],
    [0, /^$/, ["start", "--help"]],
  ];
  for (const [code, message, args, env = local.env] of cases) {
    const result = await runCli(args, { ...local, env });
    expect([args, result.code, result.stderr]).toEqual([
      args,
      code,
      expect.stringMatching(message),
    ]);
    expect(result.stderr).not.toMatch(/^ +at /m);
  }
});

/** Where nobody listens any more. */
async function closedAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = z.looseObject({ port: z.number() }).parse(server.address());
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}

test("login keeps a token for the owner alone, after the hub has taken it", async () => {
  const config = join(temp.path, "config");
  const env = { HOME: temp.path, XDG_CONFIG_HOME: config };
  const login = (input: string) =>
    runCli(["login", "--url", `${house.hub.url}/`], { ...local, env, input });
  expect(await login("wrong-token\n")).toMatchObject({ code: 4 });
  expect((await runCli(["list"], { ...local, env })).code).toBe(4);
  const done = await login(`${HUB_SECRET}\n`);
  expect([done.code, done.stdout + done.stderr]).toEqual([
    0,
    expect.not.stringContaining(HUB_SECRET),
  ]);
  const path = join(config, "claude-hub/profiles.json");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(config, "claude-hub"))).mode & 0o777).toBe(0o700);
  expect(await readFile(path, "utf8")).toContain(house.hub.url);
  expect((await runCli(["list", "--json"], { ...local, env })).code).toBe(0);
  expect((await runCli(["list", "--url", house.hub.url], { ...local, env })).code).toBe(0);
  expect((await runCli(["logout"], { ...local, env })).code).toBe(0);
  expect((await runCli(["list"], { ...local, env })).code).toBe(4);
});

test("Ctrl-C in a follow ends only the looking; stop ends the session", async () => {
  await using cli = openCli(["start", REPOSITORY, SLOW, "--follow"], local);
  await cli.shows(/agent is ready|session started/);
  const running = cli.stdout().split("\n")[0] ?? "";
  const told = await runCli(["send", running, "-"], { ...local, input: "Hurry up.\n" });
  expect([told.code, told.stdout]).toEqual([0, expect.stringContaining(running)]);
  cli.interrupt();
  const { code, stdout, stderr } = await cli.ended();
  expect([code, stderr]).toEqual([130, expect.stringContaining("The session goes on.")]);
  const id = stdout.split("\n")[0] ?? "";
  expect((await house.hub.get(id)).status).toBe("running");
  const stopped = await hub("stop", "ALL", "--wait", "--force", "--remove");
  expect([stopped.code, stopped.stdout]).toEqual([0, expect.stringContaining(id)]);
  expect((await house.hub.get(id)).status).toBe("cancelled");
  expect((await hub("stop", id)).code).toBe(0);
  expect(await hub("send", id, "Too late.", "--interrupt")).toMatchObject({ code: 5 });
  expect(await hub("interrupt", id)).toMatchObject({ code: 5 });
  expect((await hub("stop", "all")).stdout).toBe("Nothing waits or runs.\n");
});

test("whoever reads no more has had enough", async () => {
  const lines = `Talk.\n${standIn({ lines: 3_000, bytes: 200 })}`;
  const made = await hub("start", REPOSITORY, lines, "--follow");
  const id = made.stdout.split("\n")[0] ?? "";
  await using cli = openCli(["logs", id, "--tail", "all"], local);
  cli.stopReading(1);
  const { code, stderr } = await cli.ended();
  expect([code, stderr]).toEqual([0, ""]);
});

test("in a terminal there are colours, and lists are written over; a token that is typed does not show", async () => {
  await using list = openTerminal(["list", "--watch"], local);
  await list.shows(/STATUS/);
  expect(list.stdout()).toContain("\u001b[1m");
  list.type("\u0003");
  expect((await list.ended()).code).toBe(0);
  await using plain = openTerminal(["list"], { ...local, env: { ...local.env, NO_COLOR: "1" } });
  expect((await plain.ended()).stdout).not.toContain("\u001b[");

  const config = join(temp.path, "typed");
  await mkdir(config);
  const env = { HOME: temp.path, XDG_CONFIG_HOME: config };
  await using login = openTerminal(["login", "--url", house.hub.url, "--profile", "own"], {
    ...local,
    env,
  });
  await login.shows(/not shown\): /);
  login.type(`${HUB_SECRET}\r`);
  const { code, stdout } = await login.ended();
  expect([code, stdout]).toEqual([0, expect.stringContaining("Logged in")]);
  expect(stdout).not.toContain(HUB_SECRET);
  expect((await runCli(["list", "--profile", "own"], { ...local, env })).code).toBe(0);
});

test("where the hub of this machine listens is believed only while it lives", async () => {
  const address = join(house.hub.dir, "address");
  const before = await readFile(address, "utf8");
  expect(before).toBe(`${house.hub.url}\n`);
  await house.hub.kill();
  expect(await readFile(address, "utf8")).toBe(before);
  expect(await hub("list")).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(/no hub runs in/),
  });
  await house.hub.restart();
  expect(await readFile(address, "utf8")).toBe(`${house.hub.url}\n`);
  expect((await hub("list")).code).toBe(0);
  await house.hub.stop();
  await expect(stat(address)).rejects.toThrow("ENOENT");
  expect((await hub("list")).code).toBe(4);
});
