import { HubError, ifFound } from "../../core/errors.ts";
import type { Id } from "../../core/id.ts";
import type { ForgeRepository, PullRequest } from "../../forge/forge.ts";
import type { Sessions } from "../../sessions/sessions.ts";
import type { ReviewGate } from "../../store/threads/review-gates.ts";
import { refusalFor } from "../authority.ts";
import { reserveDay } from "../settings/day-budget.ts";
import { termsFor } from "../terms.ts";
import type { ReviewDeps } from "./deps.ts";
import { reviewContext, reviewRequirements } from "./prompt.ts";

const EARLIER = 300;

/** Why a pull request is not reviewed by itself; null: it may be. */
export async function automaticRefusal(
  deps: ReviewDeps,
  repository: ForgeRepository,
  name: string,
  pull: PullRequest,
): Promise<string | null> {
  const settings = await (await deps.settingsFor()).of(name);
  if (!settings.review.automatic) return "pull requests are not reviewed by themselves here";
  if (pull.state !== "open") return "it is closed";
  if (pull.isDraft) return "it is a draft";
  if (pull.isLocked) return "the conversation is locked";
  const { account } = await deps.forge.self();
  if (pull.author.id === account.id)
    return settings.review.ownPullRequests ? null : "it is the bot's own";
  return deps.settings.strangers ? null : await refusalFor(settings, repository, pull.author);
}

/** The session of a gate, made where there is none yet; a sentence: why there will be none. */
export async function beginReview(
  deps: ReviewDeps,
  gate: ReviewGate,
  id: Id,
): Promise<string | null> {
  const known = await ifFound(deps.sessions.get(id));
  if (known !== null) return null;
  const settings = await (await deps.settingsFor()).of(gate.repository);
  const place = { id: gate.repositoryId, name: gate.repository };
  const asked = { cause: `gate:${id}`, sessionId: id };
  const reserved = await reserveDay({ ...deps, settings }, place, asked);
  if (reserved.refusal !== null) return reserved.refusal;
  const { costUsd, tokens } = reserved.limits;
  const repository = deps.forge.repository(gate.repository);
  const pull = await repository.pullRequest(gate.number);
  const { repositoryId, number, sha } = gate;
  const at = deps.clock.now();
  const begun = { sessionId: id, repositoryId, repository: gate.repository, number, sha, at };
  await deps.reviews.begin(begun);
  await deps.checks.begin({ ...begun, kind: "review" });
  await deps.sessions.create(
    {
      type: "review",
      project: {
        repository: gate.repository,
        requirements: reviewRequirements(pull, ""),
        context: await contextFor(deps, repository, pull),
      },
      dependencies: [],
      metadata: { github: { number, url: pull.url, asker: null, kind: "review" } },
      options: { autoStart: true },
    },
    {
      id,
      terms: {
        ...termsFor(settings, "review"),
        maxCostUsd: costUsd,
        maxTokens: tokens,
        commit: { sha, ref: `refs/pull/${number}/head` },
      },
    },
  );
  return null;
}

/** What a reviewer is shown of a pull request. */
export async function contextFor(
  { forge }: Pick<ReviewDeps, "forge">,
  repository: ForgeRepository,
  pull: PullRequest,
  usedChars = 0,
): Promise<string> {
  const { account } = await forge.self();
  const comments = await repository.lineComments(pull.number, EARLIER);
  const earlier = comments.filter(({ author }) => author.id === account.id);
  const files = await repository.files(pull.number);
  return reviewContext({ pull, files, earlier, usedChars });
}

/** Unless it has ended, or was never made. */
export async function endSession(
  { sessions }: { sessions: Pick<Sessions, "cancel"> },
  id: Id,
): Promise<void> {
  try {
    await sessions.cancel(id);
  } catch (error) {
    const isOver = error instanceof HubError && ["conflict", "not_found"].includes(error.code);
    if (!isOver) throw error;
  }
}
