import { z } from "zod";
import { HubError, forbidden, upstreamFailed } from "../../core/errors.ts";

/** What octokit throws; `response` is not there when nothing was answered. */
const Failure = z.object({
  status: z.number(),
  message: z.string(),
  response: z
    .object({
      headers: z.record(z.string(), z.union([z.string(), z.number()]).catch("")),
      data: z.unknown(),
    })
    .optional()
    .catch(undefined),
});

/** It may say so in words alone; then at least a minute is asked for. */
const SECONDARY = /secondary rate limit|abuse detection/i;
const UNSAID_PAUSE_SECONDS = 60;
/** Its limits are counted by the hour. */
const LONGEST_PAUSE_SECONDS = 3_600;

/** Failures of GitHub in the hub's words. */
export function asForgeError(error: unknown): unknown {
  if (error instanceof HubError) return error;
  const parsed = Failure.safeParse(error);
  if (!parsed.success || parsed.data.response === undefined) return upstreamFailed("forge", error);
  const { status, response } = parsed.data;
  const header = (name: string): string => String(response.headers[name] ?? "");
  const waitSeconds =
    pauseOf(header, timeOf(header("date"))) ??
    (SECONDARY.test(parsed.data.message) ? UNSAID_PAUSE_SECONDS : null);
  if (status === 429 || (status === 403 && waitSeconds !== null))
    return new HubError("rate_limited", "GitHub asks for a pause", {
      retryAfterSeconds: Math.min(waitSeconds ?? UNSAID_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS),
      cause: error,
    });
  if (status === 401)
    return new HubError("upstream_failed", "GitHub refuses the hub's credential", {
      hint: "look at GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, or GITHUB_TOKEN",
      cause: error,
    });
  if (status === 404 || status === 410)
    return new HubError("not_found", "GitHub does not know it, or does not show it to the bot", {
      cause: error,
    });
  if (status === 403 || status === 451)
    return forbidden("GitHub does not let the bot do that", error);
  if (status === 409 || status === 422 || status === 400)
    return new HubError("invalid_request", "GitHub does not take that", { cause: error });
  return upstreamFailed("forge", error);
}

/** On its own clock, by which it counts. */
function timeOf(date: string): number {
  const told = Date.parse(date);
  return Number.isNaN(told) ? Date.now() : told;
}

/** Seconds until GitHub wants to hear of us again; null: it did not ask for a pause. */
function pauseOf(header: (name: string) => string, now: number): number | null {
  const after = Number(header("retry-after") || Number.NaN);
  if (Number.isFinite(after)) return Math.max(1, after);
  if (header("x-ratelimit-remaining") !== "0") return null;
  const reset = Number(header("x-ratelimit-reset"));
  return Number.isFinite(reset) ? Math.max(1, Math.ceil(reset - now / 1_000)) : 60;
}
