import { agentNamed } from "../agents/registry.ts";
import { Job, RunnerClosed } from "../core/job.ts";
import type { RunnerBoot, RunnerClosing } from "../core/job.ts";
import { ProbeOrder } from "../core/probe.ts";
import { z } from "zod";
import { askPeople, takeCommands } from "./commands.ts";
import type { Order } from "./commands.ts";
import { startForwarder } from "./forwarder.ts";
import { createDeadline } from "./deadline.ts";
import { ATTEMPT_MS, createGatewayClient, SessionOver } from "./gateway.ts";
import { createOutbox } from "./outbox.ts";
import { cloneWorkspace } from "./place.ts";
import type { Place } from "./place.ts";
import { lookAround } from "./probe.ts";
import { prepareAndWait, Unprepared } from "./prepared.ts";
import { reportFailure, resultOf, sendReport, sendResult } from "./result.ts";
import type { Interruption } from "./result.ts";
import { createTalk } from "./talk.ts";
import type { Talk } from "./talk.ts";
import { work } from "./work.ts";

const JOB_MS = 1_200_000; // Longer than a forge that is away is waited for.
/** The longest that a prepared sandbox waits for its start; the hub takes it back much earlier. */
const PREPARED_MS = 86_400_000;

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
