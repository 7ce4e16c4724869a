import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { runCli } from "../kit/hub/cli.ts";
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
  temp = await createTempDir("cli-plans");
  house = await openHouse({
    env: { CLAUDE_HUB_MAX_SESSIONS: "20", CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "20" },
  });
  const env = { HOME: temp.path, CLAUDE_HUB_URL: house.hub.url, CLAUDE_HUB_TOKEN: HUB_SECRET };
  options = { cwd: temp.path, env: { ...env, DEFAULT_GITHUB_OWNER: "octo", TMPDIR: temp.path } };
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

const hub = (...args: string[]) => runCli(args, options);

const Orchestration = z.looseObject({
  id: z.uuid(),
  state: z.string(),
  planVersion: z.int(),
  plan: z.looseObject({ tasks: z.array(z.looseObject({ id: z.string(), title: z.string() })) }),
});

/** Something that changes a file as a person would in an editor. */
async function editor(name: string, script: string): Promise<CliOptions> {
  const path = join(temp.path, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return { ...options, env: { ...options.env, EDITOR: `${path} --wait` } };
}

const PLAN = `summary: Two tasks
pullRequest: false
integrate: false
tasks:
  - { id: one, title: The first, requirements: Look., type: analysis }
  - { id: two, title: The second, requirements: Look., type: analysis, needs: [one] }
`;

test("a plan from a file is shown, changed in an editor, and done", async () => {
  const file = join(temp.path, "plan.yaml");
  await writeFile(file, PLAN);
  const proposed = await hub("plan", "propose", "greeter", "Look twice.", "--file", file);
  expect([proposed.code, proposed.stdout]).toEqual([
    0,
    expect.stringMatching(
      /state +proposed\n[^]*\none {2}analysis {2}The first\n└─ two {2}analysis {2}The second\n$/,
    ),
  ]);
  const id = z.uuid().parse(/orchestration +(\S+)/.exec(proposed.stdout)?.[1]);

  const first = await editor("first.sh", `sed -i 's/The second/The last/' "$2"`);
  const changed = await runCli(["plan", "edit", id.slice(0, 20)], first);
  expect([changed.code, changed.stdout]).toEqual([
    0,
    expect.stringMatching(/version 2[^]*The last/),
  ]);
  expect(
    await runCli(["plan", "edit", id], { ...options, env: { ...options.env, EDITOR: "true" } }),
  ).toMatchObject({
    code: 0,
    stderr: "Nothing was changed.\n",
  });
  // What makes no sense is told with its place, and is not lost.
  const second = await editor("second.sh", `sed -i 's/- one/- three/' "$2"`);
  const wrong = await runCli(["plan", "edit", id], second);
  expect(wrong).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("tasks.1.needs.0: there is no task three"),
  });
  const kept = /kept in (\S+)/.exec(wrong.stderr)?.[1] ?? "";
  expect(await readFile(kept, "utf8")).toContain("- three");
  expect(await hub("plan", "approve", id, "--plan-version", "1")).toMatchObject({ code: 5 });

  const done = await hub("plan", "approve", id, "--follow");
  expect([done.code, done.stdout]).toEqual([
    0,
    expect.stringMatching(
      /state +completed\n[^]*\none {2}completed {2}[^]*two {2}completed {2}analysis {2}The last\n$/,
    ),
  ]);
  const shown = Orchestration.parse(JSON.parse((await hub("plan", "show", id, "--json")).stdout));
  expect(shown).toMatchObject({ id, state: "completed", planVersion: 2 });
  expect((await hub("graph", id)).stdout).toMatch(/^\S+ +completed [^]*└─ \S+ +completed /);
  expect((await hub("graph", id.slice(0, 18))).stdout).toMatch(/└─ \S+ +completed /);
  expect(await hub("plan", "cancel", id)).toMatchObject({ code: 5 });
  expect(await hub("plan", "edit", id)).toMatchObject({ code: 5 });
});

test("a session makes a plan, which is cancelled instead", async () => {
  const answer = { tasks: [{ id: "only", title: "The only one", requirements: "Look." }] };
  const request = `Split it.\n${standIn({ result: { answer } })}`;
  const proposed = await hub("plan", "propose", REPOSITORY, request, "--json");
  expect([proposed.code, proposed.stderr]).toEqual([0, ""]);
  const { id, state, plan } = Orchestration.parse(JSON.parse(proposed.stdout));
  expect([state, plan.tasks.map(({ title }) => title)]).toEqual(["proposed", ["The only one"]]);
  const cancelled = await hub("plan", "cancel", id, "--json");
  expect(Orchestration.parse(JSON.parse(cancelled.stdout)).state).toBe("cancelled");

  const failed = await hub("plan", "propose", REPOSITORY, `Fail.\n${standIn({ exit: 3 })}`);
  expect([failed.code, failed.stdout]).toEqual([1, expect.stringMatching(/state +failed/)]);
  expect(await hub("plan", "show", "ffff")).toMatchObject({ code: 3 });
  expect(await hub("plan", "show", "0")).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("several orchestrations"),
  });
  expect(await hub("graph", "ffff")).toMatchObject({ code: 3 });
  expect(await hub("graph", "0")).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/several ids begin with 0[^]* orchestration {2}/),
  });
});
