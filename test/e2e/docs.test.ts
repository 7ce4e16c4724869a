import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { mcpClient } from "../kit/hub/mcp-client.ts";
import { blocksIn } from "../kit/shell-blocks.ts";
import { createTempDir } from "../kit/temp-dir.ts";
import { waitFor } from "../kit/wait.ts";

// What stands in the documents is run as it stands there; only addresses, ids and paths are those of the test.

const ROOT = join(import.meta.dirname, "../..");
const LONG = { timeout: 240_000 };

let house: GitHubHouse;
/** Where somebody follows the documents; `claude-hub` is on the path. */
let desk: { path: string } & AsyncDisposable;
beforeAll(async () => {
  house = await openGitHubHouse();
  await house.github.repository("acme/webapp", { files: "greeter" });
  desk = await createTempDir("desk");
  const command = join(desk.path, "claude-hub");
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${ROOT}/src/main.ts' "$@"\n`);
  await chmod(command, 0o755);
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await desk[Symbol.asyncDispose]();
});

const page = (path: string) => readFile(join(ROOT, path), "utf8");

/** The block of a page that has this in it. */
async function block(path: string, having: string, language?: string): Promise<string> {
  const found = blocksIn(await page(path), language).find((one) => one.includes(having));
  if (found === undefined) throw new Error(`${path} has no ${having}`);
  return found;
}

/** Runs it in a shell, in an environment made from nothing. */
async function shell(script: string, env: Record<string, string> = {}, cwd = desk.path) {
  const hub = script.replaceAll(
    /https:\/\/hub\.example|http:\/\/127\.0\.0\.1:3002/g,
    house.hub.url,
  );
  const child = spawn("bash", ["-e", "-c", hub], {
    cwd,
    env: { PATH: `${desk.path}:${process.env["PATH"] ?? ""}`, HOME: desk.path, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    child.exitCode ?? once(child, "exit"),
  ]);
  return { code: child.exitCode, stdout, stderr };
}

/** What a call of curl answers, which has to go well. */
async function answer(script: string): Promise<unknown> {
  const { code, stdout, stderr } = await shell(script, { TOKEN: house.hub.secret });
  if (code !== 0) throw new Error(`${script}: ${code} ${stderr}`);
  return JSON.parse(stdout);
}

test("docs/github.md: the variables say who the hub is", LONG, async () => {
  const [key, secret] = ["app.pem", "webhook-secret"].map((name) => join(desk.path, name));
  await writeFile(key ?? "", house.app.privateKey);
  await writeFile(secret ?? "", house.app.webhookSecret);
  const exported = (await block("docs/github.md", "export GITHUB_APP_ID"))
    .replace("123456", String(house.app.id))
    .replaceAll("/etc/claude-hub/", `${desk.path}/`);
  const { url, apiUrl } = house.github;
  const env = {
    CLAUDE_HUB_DIR: desk.path,
    GITHUB_SERVER_URL: url,
    GITHUB_API_URL: apiUrl,
    // Else npm asks its registry whether there is a newer npm.
    npm_config_update_notifier: "false",
  };
  const asked = exported.replace("npm start", "npm run -s github -- status");
  const status = await shell(asked, env, ROOT);
  expect(status.stdout).toContain(`(${house.app.id})`);
  expect(status.stdout).toContain("installed at octo");
  expect([status.code, status.stderr]).toEqual([0, ""]);
});

const Delivery = z.looseObject({
  number: z.int(),
  state: z.string(),
  outcome: z.string().nullable(),
});
const Page = z.object({ deliveries: z.array(Delivery) });

test("docs/github.md: a delivery is listed, asked about, and worked off once more", async () => {
  const ada = house.github.as("ada");
  const { number } = await ada.openIssue(REPOSITORY, { title: "What can you do?", body: "" });
  await ada.comment(REPOSITORY, number, `${BOT} help`);
  await house.said(number, "| say | to have |");
  const [list = "", simulate = "", replay = ""] = (
    await block("docs/github.md", "/api/v1/deliveries")
  )
    .trim()
    .split("\n");
  const listed = list.replace("acme/webapp", REPOSITORY).replace("thread=7", `thread=${number}`);
  const delivery = await waitFor(async () => {
    const { deliveries } = Page.parse(await answer(listed));
    return deliveries.find(({ outcome }) => outcome === "it was answered");
  });
  const about = (line: string) => answer(line.replace("/ID/", `/${delivery.number}/`));
  expect(await about(simulate)).toMatchObject({ reason: null });
  expect(await about(replay)).toMatchObject({ number: delivery.number });
  const again = await waitFor(async () => {
    const now = Delivery.parse(
      await answer(replay.replace(/-X POST (\S+)\/ID\/replay/, `$1/${delivery.number}`)),
    );
    return now.state === "waiting" ? undefined : now;
  });
  expect(again).toMatchObject({ state: "done", outcome: delivery.outcome });
  await house.github.settled();
  expect(house.comments(number).filter(({ body }) => body.includes("| say |"))).toHaveLength(1);
});

const Created = z.looseObject({ id: z.string() });

test("README.md: a session is made, and its events are read to the end", LONG, async () => {
  const [token, create, events] = (await block("README.md", "TOKEN=$(cat")).split(/(?=^curl )/m);
  expect(token).toBe("TOKEN=$(cat ~/.claude-hub/webhook-secret)\n");
  const { id } = Created.parse(await answer(create ?? ""));
  const read = await shell((events ?? "").replace("/ID/", `/${id}/`), { TOKEN: house.hub.secret });
  expect([read.code, read.stdout]).toEqual([
    0,
    expect.stringContaining('"kind":"session.created"'),
  ]);
  expect(read.stdout).toMatch(/"kind":"session\.completed"/);
});

test("docs/orchestration.md: a plan is run", async () => {
  const made = await answer(await block("docs/orchestration.md", "curl "));
  const { orchestrationId } = z.looseObject({ orchestrationId: z.uuid() }).parse(made);
  const path = `/api/v1/orchestrations/${orchestrationId}`;
  const shown = await (await house.hub.fetch(path)).json();
  expect(shown).toMatchObject({ state: "running" });
  const tasks = z.object({ plan: z.object({ tasks: z.array(Created) }) }).parse(shown).plan.tasks;
  expect(tasks.map((task) => task.id)).toEqual(["french", "german", "docs"]);
  expect((await house.hub.fetch(`${path}/cancel`, { method: "POST" })).ok).toBe(true);
});

test("docs/mcp.md: a token is made, and an agent comes in with it", async () => {
  const [create = "", add = ""] = (await block("docs/mcp.md", "token create")).split("\n");
  const env = { CLAUDE_HUB_URL: house.hub.url, CLAUDE_HUB_TOKEN: house.hub.secret };
  const made = await shell(create, env);
  expect([made.code, made.stderr]).toEqual([0, expect.stringMatching(/^It is not shown again/)]);
  const [, address] = /hub (http\S+)\/mcp /.exec(add) ?? [];
  expect(address).toBe("http://127.0.0.1:3002");
  const hub = mcpClient({ url: house.hub.url, token: made.stdout.trim() });
  const wish = { session_type: "analysis", requirements: "Look.", auto_start: false };
  expect(await hub.call("create_session", { ...wish, repository: REPOSITORY })).toMatchObject({
    isError: false,
  });
  expect(await hub.call("create_session", { ...wish, repository: "acme/webapp" })).toMatchObject({
    isError: true,
  });
});

test("docs/cli.md: the file of tasks is one, and is drawn", async () => {
  await writeFile(join(desk.path, "tasks.yaml"), await block("docs/cli.md", "- id: core", "yaml"));
  const [, call = ""] =
    /`(claude-hub batch [^`]+ --dry-run)`/.exec(await page("docs/cli.md")) ?? [];
  const drawn = await shell(call);
  expect([drawn.code, drawn.stderr]).toEqual([0, ""]);
  expect(drawn.stdout).toContain("Add a health endpoint");
});
