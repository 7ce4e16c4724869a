import type { AgentOutcome } from "../agents/agent.ts";
import { agentNamed } from "../agents/registry.ts";
import { Id } from "../core/id.ts";
import { runAgent } from "./agent-run.ts";
import { runCheck } from "./check.ts";
import { collectChanges } from "./collect.ts";
import type { Changes } from "./collect.ts";
import { keepConversation, restoreConversation } from "./conversation.ts";
import { proxyEnvironment } from "./forwarder.ts";
import { guardConfiguration } from "./guard.ts";
import { messageOf } from "./message.ts";
import type { Outbox } from "./outbox.ts";
import { environmentOf, GIT_ENV, gitOf } from "./place.ts";
import type { Place } from "./place.ts";
import { runSetup } from "./setup.ts";
import type { Talk } from "./talk.ts";
import type { Workspace } from "./workspace.ts";

/** Prepares the workspace, runs the agent in it, and gathers what it has left; whatever goes wrong is its outcome. */
export async function work(
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

function failed(error: string): AgentOutcome {
  return { ok: false, error, summary: "", nextSteps: [], answer: null, agentSessionId: null };
}
