import { demandScope, isWhole } from "../core/access.ts";
import type { Clock } from "../core/clock.ts";
import { forbidden } from "../core/errors.ts";
import type { RepositoryUsage, UsageReport } from "../store/spending/usage.ts";
import type { Guard } from "./auth.ts";
import type { HttpContext, HttpDeps } from "./deps.ts";

const TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** GET /metrics, in the text format of Prometheus. For whoever may read everything. */
export function createMetrics({ usage, clock }: Pick<HttpDeps, "usage" | "clock">, guard: Guard) {
  return async (c: HttpContext) => {
    const access = await guard.access(c);
    demandScope(access, "read");
    if (!isWhole(access)) throw forbidden("Metrics tell of all repositories");
    const text = metricsText(await usage(midnight(clock)));
    return c.body(text, 200, { "content-type": TYPE });
  };
}

/** Of the day in UTC, as budgets have it. */
function midnight(clock: Clock): Date {
  const now = clock.now();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()));
}

const OF_A_DAY: readonly [name: string, help: string, of: (usage: RepositoryUsage) => number][] = [
  ["sessions", "Sessions made today (UTC)", (one) => one.sessions],
  ["cost_usd", "Dollars at list prices that they have used", (one) => one.costUsd],
  ["tokens", "Tokens that they have used", (one) => one.tokens],
  ["model_calls", "Calls of the model that they have made", (one) => one.modelCalls],
  ["budget_warnings", "Those told that their budget is nearly used up", (one) => one.warned],
  ["stopped", "Those that the hub had ended before their time", (one) => one.stopped],
];

/** Source: https://prometheus.io/docs/instrumenting/exposition_formats/. */
export function metricsText({ sessions, repositories }: UsageReport): string {
  const lines = [
    "# HELP claude_hub_sessions Sessions that have not ended",
    "# TYPE claude_hub_sessions gauge",
    ...Object.entries(sessions).map(
      ([state, count]) => `claude_hub_sessions{state="${state}"} ${count}`,
    ),
  ];
  for (const [name, help, of] of OF_A_DAY) {
    const metric = `claude_hub_day_${name}`;
    lines.push(`# HELP ${metric} ${help}`, `# TYPE ${metric} gauge`);
    for (const one of repositories)
      lines.push(`${metric}{repository="${label(one.repository)}"} ${of(one)}`);
  }
  return `${lines.join("\n")}\n`;
}

function label(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
