import type { AgentOutcome } from "../agents/agent.ts";
import { agentNamed } from "../agents/registry.ts";
import { Id } from "../core/id.ts";
import { Job, RunnerClosed, RunnerResult } from "../core/job.ts";
import { LIMITS } from "../core/limits.ts";
import type { RunnerBoot, RunnerClosing } from "../core/job.ts";
import { ProbeOrder } from "../core/probe.ts";
import type { ProbeReport } from "../core/probe.ts";
import { z } from "zod";
import { runAgent } from "./agent-run.ts";
import { collectChanges } from "./collect.ts";
import type { Changes } from "./collect.ts";
import { runCheck } from "./check.ts";
import { askPeople, takeCommands } from "./commands.ts";
import type { Order } from "./commands.ts";
import { keepConversation, restoreConversation } from "./conversation.ts";
import { proxyEnvironment, startForwarder } from "./forwarder.ts";
import { createDeadline, LATE_MS } from "./deadline.ts";
import { createGatewayClient, SessionOver } from "./gateway.ts";
import type { GatewayClient } from "./gateway.ts";
import { guardConfiguration } from "./guard.ts";
import { messageOf } from "./message.ts";
import { createOutbox } from "./outbox.ts";
import type { Outbox } from "./outbox.ts";
import { cloneWorkspace, environmentOf, GIT_ENV, gitOf } from "./place.ts";
import type { Place } from "./place.ts";
import { lookAround } from "./probe.ts";
import { prepareAndWait, Unprepared } from "./prepared.ts";
import { runSetup } from "./setup.ts";
import { createTalk } from "./talk.ts";
import type { Talk } from "./talk.ts";
import type { Workspace } from "./workspace.ts";

const JOB_MS = 1_200_000; // Longer than a forge that is away is waited for.
const ATTEMPT_MS = 60_000;
/** The longest that a prepared sandbox waits for its start; the hub takes it back much earlier. */
const PREPARED_MS = 86_400_000;

/** Why the agent was ended before its time. */
interface Interruption {
  outcome: "cancelled" | "timed_out";
  error: string;
}

/** One session from its job to its acknowledged result. */
export async function runSession(boot: RunnerBoot, searchPath: string): Promise<void> {
  const gateway = createGatewayClient({ socket: boot.gatewaySocket, token: boot.token });
  try {
    const asked = gateway.call(z.union([Job, ProbeOrder]), {
      method: "GET",
      path: "/runner/job",
      timeoutMs: ATTEMPT_MS,
      untilMs: Date.now() + JOB_MS,
    });
    // Told where it is awaited, which it may be too early for.
    asked.catch(() => undefined);
    await using forwarder = await startForwarder({
      socket: boot.gatewaySocket,
      token: boot.token,
    });
    const job = await asked;
    if ("probe" in job) {
      const report = await lookAround(job, boot, searchPath);
      await sendReport(gateway, report);
      return;
    }
    await perform({ boot, job, gateway, gatewayUrl: forwarder.url, searchPath });
  } catch (error) {
    if (error instanceof Unprepared) throw error;
    if (!(error instanceof SessionOver)) await reportFailure(gateway, error);
  } finally {
    gateway.close();
  }
}

async function perform(given: Place): Promise<void> {
  const { boot, gateway } = given;
  const preparedUntilMs = Date.now() + PREPARED_MS;
  let untilMs = () => preparedUntilMs;
  const { spoolBytes } = given.job.limits;
  const outbox = createOutbox({ gateway, maxBytes: spoolBytes, untilMs: () => untilMs() });
  outbox.add("runner.started", {
    sandbox: boot.sandboxName,
    pid: process.pid,
    node: process.version,
  });
  const prepared =
    given.job.limits.deadlineAt === null
      ? await prepareAndWait(given, outbox, preparedUntilMs)
      : null;
  const place = prepared?.place ?? given;
  const stop = new AbortController();
  const done = new AbortController();
  let interruption: Interruption | null = null;
  const interrupt = (why: Interruption) => {
    interruption ??= why;
    stop.abort();
  };
  const deadline = createDeadline(Date.parse(place.job.limits.deadlineAt ?? ""), () =>
    interrupt({ outcome: "timed_out", error: "The time limit was reached" }),
  );
  untilMs = () => deadline.untilMs();
  const talk = talkOf(place, untilMs);
  const onOrder = (order: Order) => {
    if (order.kind === "pause") deadline.pause();
    if (order.kind === "resume") deadline.resume(Date.parse(order.deadlineAt));
    talk?.order(order);
  };
  takeCommands({ gateway, untilMs, signal: done.signal, onOrder }).then(
    (reason) => interrupt({ outcome: "cancelled", error: reason }),
    (error: unknown) => {
      // The hub wants nothing more of this session: nobody is there to work for.
      if (error instanceof SessionOver) stop.abort(error);
    },
  );
  // An agent whose events nobody takes any more works for nobody; flushing tells why.
  outbox.failed.catch((error: unknown) => stop.abort(error));
  const workspace = prepared?.workspace ?? (() => cloneWorkspace(place, outbox));
  try {
    const { outcome, changes } = await work(place, outbox, stop.signal, workspace, talk, untilMs);
    if (talk?.wasLeft() === true)
      interrupt({
        outcome: "cancelled",
        error: "Interrupted on request, and left without a message",
      });
    // Read late: it is set from outside while the work goes on.
    const why = ((): Interruption | null => interruption)();
    await sendResult(gateway, outbox, untilMs(), resultOf(place.job, outcome, changes, why));
  } finally {
    deadline.end();
    done.abort();
  }
}

/** Null: the agent takes no orders. */
function talkOf({ job, gateway }: Place, untilMs: () => number): Talk | null {
  const { input } = agentNamed(job.agent);
  if (input === null) return null;
  return createTalk({
    input,
    idleMs: job.limits.idleMs,
    async mayClose(after) {
      const { closed } = await gateway.call(RunnerClosed, {
        method: "POST",
        path: "/runner/closing",
        body: JSON.stringify({ after } satisfies RunnerClosing),
        timeoutMs: ATTEMPT_MS,
        untilMs: untilMs(),
      });
      return closed;
    },
    async mayUse({ requestId, tool, input: asked }) {
      const question = { key: requestId.slice(0, 200), tool, input: JSON.stringify(asked) };
      return await askPeople(gateway, question, untilMs());
    },
  });
}

async function work(
  place: Place,
  outbox: Outbox,
  signal: AbortSignal,
  workspace: () => Promise<Workspace>,
  talk: Talk | null,
  untilMs: () => number,
): Promise<{ outcome: AgentOutcome; changes: Changes }> {
  const { boot, job, gatewayUrl, searchPath } = place;
  const env = environmentOf(place);
  const proxyEnv = proxyEnvironment(gatewayUrl);
  const dir = boot.workspaceDir;
  const git = gitOf(place);
  const nothing: Changes = { artifacts: [], diff: "", error: null };
  const notStarted = failed("The session was ended before its agent was started");
  try {
    const { baseSha } = await workspace();
    await guardConfiguration({ job, git, dir, outbox });
    if (signal.aborted) return { outcome: notStarted, changes: nothing };
    const { homeDir } = boot;
    const refusal = await runSetup({ job, git, dir, homeDir, env, outbox, signal });
    if (refusal !== null) return { outcome: failed(refusal), changes: nothing };
    if (signal.aborted) return { outcome: notStarted, changes: nothing };
    const agent = agentNamed(job.agent);
    const { gateway } = place;
    const pathOf = (id: string) => agent.conversationPath(id, { workspaceDir: dir, homeDir });
    const earlier = job.fork?.from ?? (job.resume ? job.agentSessionId : null);
    if (earlier !== null)
      await restoreConversation({ gateway, path: pathOf(earlier), untilMs: untilMs() });
    const outcome = await runAgent({
      agent,
      job,
      place: { workspaceDir: dir, homeDir, gatewayUrl, searchPath, gitEnv: GIT_ENV, proxyEnv },
      outbox,
      talk,
      signal,
    }).catch((error: unknown) => failed(`The agent could not be run: ${messageOf(error)}`));
    const { agentSessionId } = outcome;
    // What an agent says of itself is not to lead to any other file.
    if (Id.safeParse(agentSessionId).success && agentSessionId !== null)
      await keepConversation({
        gateway,
        path: pathOf(agentSessionId),
        untilMs: untilMs(),
        outbox,
      });
    // Whatever the workspace has become, what the agent said is not lost.
    const changes = await collectChanges({ job, git, dir, baseSha, gatewayUrl, outbox }).catch(
      (error: unknown) => ({
        ...nothing,
        error: `The work could not be collected: ${messageOf(error)}`,
      }),
    );
    if (!outcome.ok || changes.error !== null) return { outcome, changes };
    const fault = await runCheck({ job, dir, env, outbox, signal });
    return { outcome: fault === null ? outcome : { ...outcome, ok: false, error: fault }, changes };
  } catch (error) {
    return { outcome: failed(messageOf(error)), changes: nothing };
  }
}

function resultOf(
  { answerSchema }: Job,
  outcome: AgentOutcome,
  changes: Changes,
  interruption: Interruption | null,
): Omit<RunnerResult, "lastSeq"> {
  const said = {
    summary: answerSchema === null ? outcome.summary : wordsOf(outcome),
    nextSteps: outcome.nextSteps,
    agentSessionId: outcome.agentSessionId,
    artifacts: changes.artifacts,
    diff: changes.diff,
    // Of a run that went wrong, an answer would only be half of one.
    answer: answerSchema === null || !outcome.ok ? null : outcome.answer,
  };
  if (interruption !== null && !outcome.ok) return { ...interruption, ...said };
  if (!outcome.ok)
    return { outcome: "failed", error: outcome.error ?? "The agent failed", ...said };
  if (answerSchema !== null) {
    const fault = faultOf(outcome.answer);
    if (fault !== null) return { outcome: "failed", error: fault, ...said, answer: null };
  }
  if (changes.error === null) return { outcome: "completed", ...said };
  return { outcome: "failed", error: changes.error.slice(0, 2_000).toWellFormed(), ...said };
}

/** Of an answer that is data, and has no summary, there is nothing to read aloud. */
function wordsOf({ answer, summary }: AgentOutcome): string {
  return answer === null || Summarised.safeParse(answer).success ? summary : "";
}
const Summarised = z.object({ summary: z.string() });

/** What is wrong with an answer that was asked for by a schema; whether it fits is for whoever asked. */
function faultOf(answer: AgentOutcome["answer"]): string | null {
  if (answer === null) return "The agent gave no answer in the form that was asked for";
  const { length } = JSON.stringify(answer);
  return length > LIMITS.answerChars ? `The agent's answer has ${length} characters` : null;
}

/** After the last event has arrived, so that nothing is missing when the session ends. */
async function sendResult(
  gateway: GatewayClient,
  outbox: Outbox,
  untilMs: number,
  result: Omit<RunnerResult, "lastSeq">,
): Promise<void> {
  await outbox.flush();
  const body = RunnerResult.parse({ ...result, lastSeq: outbox.lastSeq() });
  await tell(gateway, { path: "/runner/result", body, untilMs });
}

async function sendReport(gateway: GatewayClient, report: ProbeReport): Promise<void> {
  const untilMs = Date.now() + ATTEMPT_MS;
  await tell(gateway, { path: "/runner/probe", body: report, untilMs });
}

/** There was no job, or its events were refused: the reason is all that there is to tell. */
async function reportFailure(gateway: GatewayClient, error: unknown): Promise<void> {
  const body = RunnerResult.parse({ outcome: "failed", error: messageOf(error), lastSeq: 0 });
  await tell(gateway, { path: "/runner/result", body, untilMs: Date.now() + LATE_MS });
}

async function tell(
  gateway: GatewayClient,
  { path, body, untilMs }: { path: string; body: RunnerResult | ProbeReport; untilMs: number },
): Promise<void> {
  await gateway.call(z.object({}), {
    method: "POST",
    path,
    body: JSON.stringify(body),
    timeoutMs: ATTEMPT_MS,
    untilMs,
  });
}

function failed(error: string): AgentOutcome {
  return { ok: false, error, summary: "", nextSteps: [], answer: null, agentSessionId: null };
}
