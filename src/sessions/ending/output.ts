import type { Artifact, SessionOutput } from "../../core/artifact.ts";
import { notFound } from "../../core/errors.ts";
import { eventText } from "../../core/event-text.ts";
import type { Event } from "../../core/event.ts";
import type { Id } from "../../core/id.ts";
import type { SessionDeps } from "../deps.ts";

/** The newest lines of a log that `output` answers; the whole log is at the events. */
const LOG_LINES = 1_000;
const PUSHES = 1_000;

/** What really happened so far. */
export async function outputOf(deps: SessionDeps, id: Id): Promise<SessionOutput> {
  const [session, events, result, artifacts] = await Promise.all([
    deps.sessions.get(id),
    deps.events.readLast(id, LOG_LINES),
    deps.results.get(id),
    artifactsOf(deps, id),
  ]);
  if (session === null) throw notFound("Session");
  return {
    logs: events.map((event) => `${event.at} ${eventText(event)}`),
    artifacts,
    summary: result?.summary ?? "",
    nextSteps: result?.nextSteps ?? [],
  };
}

/** From git as the runner found it at the end, and from the pushes that the hub itself let through. */
export async function artifactsOf(deps: SessionDeps, id: Id): Promise<Artifact[]> {
  const [result, pushes] = await Promise.all([
    deps.results.get(id),
    deps.events.readKinds(id, ["branch.pushed"], PUSHES),
  ]);
  const artifacts = result?.artifacts ?? [];
  const known = new Map(
    artifacts.flatMap((one) => (one.type === "commit" ? [[one.sha ?? "", one] as const] : [])),
  );
  // The last push of a commit says where it can be seen.
  const pushed = new Map(pushes.map((event) => [textOf(event, "sha"), event]));
  const merged = artifacts.map((one) => {
    const push = one.type === "commit" ? pushed.get(one.sha ?? "") : undefined;
    return push === undefined ? one : withPush(one, push);
  });
  const others = [...pushed]
    .filter(([sha]) => !known.has(sha))
    .map(([sha, push]) => withPush({ type: "commit", sha }, push));
  return [...merged, ...others];
}

function withPush(commit: Artifact, push: Event): Artifact {
  const url = textOf(push, "url");
  return {
    ...commit,
    ...(url === "" ? {} : { url }),
    metadata: { ...commit.metadata, branch: textOf(push, "branch"), pushed: true },
  };
}

function textOf(event: Event, key: string): string {
  const value = event.body[key];
  return typeof value === "string" ? value : "";
}
