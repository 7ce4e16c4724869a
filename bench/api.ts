import { spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { z } from "zod";
import { standInNoopPath } from "../test/kit/agent/stand-in.ts";
import { GITHUB_SECRET, REPOSITORY, openBenchHub } from "./hub.ts";
import { load } from "./load.ts";
import type { Figure } from "./table.ts";

/** Of the older system, on two cores, in memory only. */
const OLDER = { webhooks: 3_600, p50Ms: 8, p99Ms: 20, get: 3_500, create: 250 };
const PAYLOAD_BYTES = 12_700;

export async function measureApi(): Promise<Figure[]> {
  const payload = await issueComment();
  const webhook = {
    headers: {
      "content-type": "application/json",
      "x-github-event": "issue_comment",
      "x-hub-signature-256": `sha256=${createHmac("sha256", GITHUB_SECRET).update(payload).digest("hex")}`,
    },
    body: () => payload,
    eachHeaders: () => ({ "x-github-delivery": randomUUID() }),
  };
  const bare = await withBareServer((url) => load({ url, ...webhook }));

  await using hub = await openBenchHub({ agentPath: standInNoopPath });
  const headers = { "content-type": "application/json", authorization: `Bearer ${hub.secret}` };
  const url = `${hub.url}/api/webhooks/claude`;
  const intake = await load({ url: `${hub.url}/api/webhooks/github`, ...webhook });
  const session = {
    type: "implementation",
    project: { repository: REPOSITORY, requirements: "Do nothing." },
  };
  const create = await load({
    url,
    headers,
    body: () => JSON.stringify({ type: "session.create", session }),
  });
  const { id } = await hub.create(session);
  const get = await load({
    url,
    headers,
    body: () => JSON.stringify({ type: "session.get", sessionId: id }),
  });
  const reference = { name: "bare node:http, in memory", value: bare.perSecond };
  return [
    {
      what: "reference: bare node:http that checks the signature and forgets",
      value: bare.perSecond,
      unit: "/s",
    },
    {
      what: "webhook intake, signed 12.7 KB",
      value: intake.perSecond,
      unit: "/s",
      reference,
      target: { value: OLDER.webhooks, atMost: false },
    },
    {
      what: "webhook intake, p50",
      value: intake.p50Ms,
      unit: "ms",
      reference: { name: "older system", value: OLDER.p50Ms },
    },
    {
      what: "webhook intake, p99",
      value: intake.p99Ms,
      unit: "ms",
      reference: { name: "older system", value: OLDER.p99Ms },
    },
    {
      what: "session.get",
      value: get.perSecond,
      unit: "/s",
      reference: { name: "older system", value: OLDER.get },
      target: { value: OLDER.get, atMost: false },
    },
    {
      what: "session.create",
      value: create.perSecond,
      unit: "/s",
      reference: { name: "older system", value: OLDER.create },
      target: { value: 2_500, atMost: false },
    },
  ];
}

/** A real example of GitHub's, grown to the usual size. */
export async function issueComment(): Promise<string> {
  const path = createRequire(import.meta.url).resolve(
    "@octokit/webhooks-examples/api.github.com/index.json",
  );
  const Examples = z.array(z.object({ name: z.string(), examples: z.array(z.looseObject({})) }));
  const all = Examples.parse(JSON.parse(await readFile(path, "utf8")));
  const example = all.find(({ name }) => name === "issue_comment")?.examples[0] ?? {};
  const size = JSON.stringify({ ...example, padding: "" }).length;
  return JSON.stringify({ ...example, padding: "x".repeat(Math.max(0, PAYLOAD_BYTES - size)) });
}

async function withBareServer<Result>(work: (url: string) => Promise<Result>): Promise<Result> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "bare-server.ts"), GITHUB_SECRET],
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
    },
  );
  try {
    const [line] = await once(child.stdout.setEncoding("utf8"), "data");
    return await work(String(line).trim());
  } finally {
    child.kill();
    await once(child, "exit");
  }
}
