import { createHmac, randomUUID } from "node:crypto";
import { z } from "zod";
import { chooseRuntime } from "../demo/runtime.ts";
import { accountOn, deliverTo } from "../test/kit/bot/github-account.ts";
import { createGitHub } from "../test/kit/github/github.ts";
import type { LocalGitHub } from "../test/kit/github/github.ts";
import { startHub } from "../test/kit/hub/hub.ts";
import type { TestHub } from "../test/kit/hub/hub.ts";
import { standIn, standInAgentPath, standInNoopPath } from "../test/kit/agent/stand-in.ts";
import { waitFor } from "../test/kit/wait.ts";
import { issueComment } from "./api.ts";
import { benchSettings } from "./hub.ts";
import { load } from "./load.ts";
import { median, percentile } from "./table.ts";
import type { Figure } from "./table.ts";

const MENTIONS = 15;
const FLOOD = { mentions: 200, repositories: 20, withinMs: 10_000, slots: 8, perRepository: 2 };
/** What GitHub lets an installation write in a minute, each write counting five points. */
const WRITES_PER_MINUTE = 900 / 5;
const LONG_MS = 600_000;
const WRITES = new Set(["POST", "PATCH", "PUT", "DELETE"]);

/** The hub as a bot, on a GitHub that runs beside it. */
export async function measureGitHub(): Promise<Figure[]> {
  return [...(await measureIntake()), ...(await measureMention()), ...(await measureFlood())];
}

/** Whether intake suffers when somebody works off what is taken in. */
async function measureIntake(): Promise<Figure[]> {
  await using bench = await openBench({ agentPath: standInNoopPath, repositories: 1 });
  const { hub, secret } = bench;
  const payload = await issueComment();
  const signature = createHmac("sha256", secret).update(payload).digest("hex");
  const send = async (event: string) =>
    await load({
      url: `${hub.url}/api/webhooks/github`,
      headers: {
        "content-type": "application/json",
        "x-github-event": event,
        "x-hub-signature-256": `sha256=${signature}`,
      },
      body: () => payload,
      eachHeaders: () => ({ "x-github-delivery": randomUUID() }),
    });
  const idle = await send("ping");
  const busy = await send("issue_comment");
  return [
    {
      what: "webhook intake of comments while triggers read each of them from GitHub again",
      value: busy.perSecond,
      unit: "/s",
      reference: { name: "pings, of which nothing is read", value: idle.perSecond },
      target: { value: 3_600, atMost: false },
    },
  ];
}

/** One mention after the other, from the moment that somebody writes it. */
async function measureMention(): Promise<Figure[]> {
  await using bench = await openBench({
    agentPath: standInNoopPath,
    repositories: 1,
    isolated: true,
    prepared: 1,
  });
  const { github, hub, names, runtime } = bench;
  const [name = ""] = names;
  const eyesMs: number[] = [];
  const runsMs: number[] = [];
  const bareMs: number[] = [];
  for (let count = 0; count <= MENTIONS; count += 1) {
    const { number, id, askedAt } = await mention(bench, name, "look");
    const path = `/repos/${name}/issues/comments/${id}/reactions`;
    const eyes = await waitFor(() => github.requests.find((one) => one.path === path), {
      intervalMs: 1,
      timeoutMs: LONG_MS,
    });
    const runsAt = await agentStart(hub, number);
    const bare = await bareReaction(github, path);
    // The first one warms everything up.
    if (count === 0) continue;
    eyesMs.push(eyes.at.getTime() - askedAt);
    runsMs.push(runsAt - askedAt);
    bareMs.push(bare);
  }
  const reference = { name: "a bare POST of the reaction", value: median(bareMs) };
  return [
    {
      what: "mention → 👀 sent (median)",
      value: median(eyesMs),
      unit: "ms",
      reference,
      target: { value: 300, atMost: true },
    },
    { what: "the same, p95", value: percentile(eyesMs, 0.95), unit: "ms" },
    {
      what: `mention → agent runs, ${runtime}, clone included (median)`,
      value: median(runsMs),
      unit: "ms",
      reference,
      target: { value: 1_000, atMost: true },
    },
    { what: "the same, p95", value: percentile(runsMs, 0.95), unit: "ms" },
  ];
}

/** More at once than there are slots for. */
async function measureFlood(): Promise<Figure[]> {
  const { mentions, repositories, withinMs, slots, perRepository } = FLOOD;
  await using bench = await openBench({
    agentPath: standInAgentPath,
    repositories,
    slots,
    perRepository,
  });
  const { github, hub, names } = bench;
  const startedAt = Date.now();
  for (let count = 0; count < mentions; count += 1) {
    const due = startedAt + (count * withinMs) / mentions;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - Date.now())));
    const words = standIn({ silentMs: 200 }, { result: { summary: "Looked." } });
    await mention(bench, names[count % repositories] ?? "", words);
  }
  const told = () => github.requests.filter(({ body }) => isReaction(body, "hooray")).length;
  await waitFor(() => told() >= mentions, { timeoutMs: LONG_MS, intervalMs: 100 });
  const tookMs = Date.now() - startedAt;
  const most = await mostAtOnce(hub, mentions);
  const writes = github.requests.filter(
    ({ kind, method, route }) =>
      kind === "api" && WRITES.has(method) && route?.includes("token") === false,
  );
  const refused = writes.filter(({ status }) => status === null || status >= 400);
  if (refused.length > 0) throw new Error(`GitHub has refused ${refused.length} writes`);
  if (most.all > slots || most.repository > perRepository)
    throw new Error(`more ran at once than may: ${most.all}, ${most.repository} of a repository`);
  return [
    {
      what: `${mentions} mentions in ${withinMs / 1_000} s over ${repositories} repositories, ${slots} slots, until the last is told`,
      value: tookMs / 1_000,
      unit: "s",
      reference: {
        name: `work ÷ slots`,
        value: (mentions * 0.2) / slots,
      },
    },
    {
      what: `the same, writes for each (👀, comment, end, 🎉); at GitHub's pace all take ${Math.ceil(writes.length / WRITES_PER_MINUTE)} min`,
      value: writes.length / mentions,
      unit: "",
    },
  ];
}

interface Bench extends AsyncDisposable {
  github: LocalGitHub;
  hub: TestHub;
  names: string[];
  secret: string;
  bot: string;
  runtime: string;
}

/** A hub with its embedded database, as it is installed, that is an App on a GitHub of its own. */
async function openBench(options: {
  agentPath: string;
  repositories: number;
  isolated?: boolean;
  prepared?: number;
  slots?: number;
  perRepository?: number;
}): Promise<Bench> {
  await using parts = new AsyncDisposableStack();
  const github = parts.use(await createGitHub());
  const names = Array.from({ length: options.repositories }, (_, at) => `octo/greeter-${at + 1}`);
  for (const name of names)
    await github.repository(name, { files: "greeter", collaborators: { ada: "write" } });
  const app = github.app();
  github.install(app, "octo");
  const runtime = options.isolated === true ? await chooseRuntime(undefined) : "process";
  const hub = parts.use(
    await startHub({
      agentPath: options.agentPath,
      runtime: runtime ?? "process",
      env: {
        ...benchSettings(options),
        ...accountOn(github, app),
        CLAUDE_HUB_AUTO_LABEL: "off",
      },
    }),
  );
  deliverTo(app.hook, hub);
  const all = parts.move();
  return {
    github,
    hub,
    names,
    secret: app.webhookSecret,
    bot: `@${app.slug}`,
    runtime: runtime ?? "process",
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function mention({ github, bot }: Bench, name: string, words: string) {
  const ada = github.as("ada");
  const { number } = await ada.openIssue(name, { title: "It hurts", body: "Here." });
  const askedAt = Date.now();
  const { id } = await ada.comment(name, number, `${bot} ${words}`);
  return { number, id, askedAt };
}

const Sessions = z.object({
  sessions: z.array(
    z.object({
      id: z.string(),
      project: z.object({ repository: z.string() }),
      metadata: z.object({ github: z.object({ number: z.int() }) }),
      admittedAt: z.string().nullable(),
      completedAt: z.string().nullable(),
    }),
  ),
  nextCursor: z.string().nullish(),
});
type Session = z.infer<typeof Sessions>["sessions"][number];

/** When the agent began that works on a thread. */
async function agentStart(hub: TestHub, number: number): Promise<number> {
  const session = await waitFor(
    async () => (await sessionsOf(hub, 20)).find((one) => one.metadata.github.number === number),
    { timeoutMs: LONG_MS },
  );
  await hub.until(session.id);
  const started = (await hub.events(session.id)).find(({ kind }) => kind === "agent.started");
  return Date.parse(started?.at ?? "");
}

/** The newest ones. */
async function sessionsOf(hub: TestHub, count: number): Promise<Session[]> {
  const found: Session[] = [];
  for (let cursor = ""; found.length < count;) {
    const answer = await hub.fetch(`/api/v1/sessions?limit=${Math.min(count, 100)}${cursor}`);
    const { sessions, nextCursor } = Sessions.parse(await answer.json());
    found.push(...sessions);
    if (nextCursor == null) break;
    cursor = `&cursor=${nextCursor}`;
  }
  return found;
}

async function bareReaction(github: LocalGitHub, path: string): Promise<number> {
  const startedAt = performance.now();
  const answer = await fetch(`${github.apiUrl}${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${github.user("ada").token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ content: "rocket" }),
  });
  if (!answer.ok) throw new Error(`the reaction was answered ${answer.status}`);
  return performance.now() - startedAt;
}

/** How many sessions had a slot at the same time, in all and of one repository. */
async function mostAtOnce(hub: TestHub, count: number) {
  const sessions = await sessionsOf(hub, count);
  if (sessions.length !== count) throw new Error(`there are ${sessions.length} sessions`);
  const names = new Set(sessions.map(({ project }) => project.repository));
  const each = [...names].map((name) =>
    mostOf(sessions.filter(({ project }) => project.repository === name)),
  );
  return { all: mostOf(sessions), repository: Math.max(...each) };
}

function mostOf(some: readonly Session[]): number {
  const holding = ({ admittedAt: at }: Session) =>
    some.filter(
      (one) =>
        at !== null &&
        (one.admittedAt ?? "~") <= at &&
        (one.completedAt === null || one.completedAt > at),
    ).length;
  return Math.max(...some.map(holding));
}

function isReaction(body: unknown, content: string): boolean {
  return z.object({ content: z.literal(content) }).safeParse(body).success;
}
