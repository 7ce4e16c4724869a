import { GitHubError } from "./errors.ts";
import type { Identity } from "./identity.ts";
import { now } from "./world.ts";
import type { World } from "./world.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const PER_HOUR = 5_000;
const POINTS_PER_MINUTE = 900;
const CONTENT_PER_MINUTE = 80;
const CONTENT_PER_HOUR = 500;
const AT_ONCE = 100;

interface Budget {
  used: number;
  limit: number;
  resetsAt: number;
  atOnce: number;
  points: number[];
  content: number[];
}

export interface Limits {
  /** Counts a request; throws GitHub's refusal when there were too many. Call what it returns at the end. */
  begin(who: Identity, method: string, makesContent: boolean): () => void;
  headers(who: Identity): Record<string, string>;
  body(who: Identity): Record<string, number>;
  /** Leaves everybody this many requests of the hour. */
  leave(remaining: number): void;
}

/** GitHub's limits. Those of an hour hold always, the secondary ones when `secondary` says so. */
export function createLimits(world: World, { secondary }: { secondary: boolean }): Limits {
  const budgets = new Map<string, Budget>();
  let left: number | null = null;

  function budgetOf(who: Identity): Budget {
    const key = keyOf(who);
    const time = now(world).getTime();
    const known = budgets.get(key);
    if (known !== undefined && known.resetsAt > time) return known;
    const budget: Budget = {
      used: left === null ? 0 : PER_HOUR - left,
      limit: who.kind === "nobody" ? 60 : PER_HOUR,
      resetsAt: time + HOUR_MS,
      atOnce: known?.atOnce ?? 0,
      points: known?.points ?? [],
      content: known?.content ?? [],
    };
    budgets.set(key, budget);
    return budget;
  }

  function body(who: Identity) {
    const { limit, used, resetsAt } = budgetOf(who);
    const reset = Math.ceil(resetsAt / 1_000);
    return { limit, remaining: Math.max(0, limit - used), reset, used };
  }

  function headers(who: Identity): Record<string, string> {
    const named = Object.entries(body(who)).map(([name, value]) => [
      `x-ratelimit-${name}`,
      String(value),
    ]);
    return { ...Object.fromEntries(named), "x-ratelimit-resource": "core" };
  }

  function refuseSecondary(): never {
    throw new GitHubError(
      403,
      "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
      { documentation_url: `${world.url}/rest/overview/rate-limits#secondary-rate-limits` },
      { "retry-after": "60" },
    );
  }

  return {
    body,
    headers,
    leave(remaining) {
      left = remaining;
      for (const budget of budgets.values()) budget.used = budget.limit - remaining;
    },
    begin(who, method, makesContent) {
      const budget = budgetOf(who);
      budget.used += 1;
      if (budget.used > budget.limit) {
        throw new GitHubError(403, `API rate limit exceeded for ${keyOf(who)}.`, {
          documentation_url: `${world.url}/rest/overview/rate-limits`,
        });
      }
      const time = now(world).getTime();
      const points = method === "GET" || method === "HEAD" ? 1 : 5;
      budget.points = budget.points.filter((at) => at > time - MINUTE_MS);
      budget.content = budget.content.filter((at) => at > time - HOUR_MS);
      const lastMinute = budget.content.filter((at) => at > time - MINUTE_MS).length;
      const tooMuchContent =
        makesContent &&
        (lastMinute >= CONTENT_PER_MINUTE || budget.content.length >= CONTENT_PER_HOUR);
      const tooMuch =
        budget.points.length + points > POINTS_PER_MINUTE ||
        budget.atOnce >= AT_ONCE ||
        tooMuchContent;
      if (secondary && tooMuch) refuseSecondary();
      for (let point = 0; point < points; point += 1) budget.points.push(time);
      if (makesContent) budget.content.push(time);
      budget.atOnce += 1;
      return () => {
        budget.atOnce -= 1;
      };
    },
  };
}

/** An installation's tokens share one budget, as do a user's. */
function keyOf(who: Identity): string {
  if (who.kind === "app") return `app ${who.app.slug}`;
  if (who.kind === "nobody") return "127.0.0.1";
  const { installation, user } = who.token;
  return installation === null ? `user ${user.login}` : `installation ID ${installation.id}`;
}
