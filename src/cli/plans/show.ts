import type { OrchestrationResource } from "../../client/hub.ts";
import { mayIntegrate } from "../../core/plan-graph.ts";
import { inOrder } from "../../core/plan.ts";
import { terminalLine, terminalText } from "../../core/terminal-text.ts";
import type { PlanOptions } from "../commands/plan.ts";
import { connect } from "../connection/connect.ts";
import { printJson } from "../screen/json.ts";
import { statusText, style } from "../screen/style.ts";
import { facts } from "../screen/table.ts";
import { tree } from "../screen/tree.ts";
import { findOrchestration } from "./find-orchestration.ts";

export async function showPlan(text: string, options: PlanOptions): Promise<void> {
  const orchestration = await findOrchestration(await connect(options), text);
  if (options.json === true) printJson(orchestration);
  else process.stdout.write(planText(orchestration));
}

/** All that a person needs to decide, or to see how far it is. */
export function planText(orchestration: OrchestrationResource): string {
  const { project, plan, planVersion, error, summary, sessions } = orchestration;
  return `${facts([
    ["orchestration", style("bold", orchestration.id)],
    ["state", statusText(orchestration.state)],
    ["error", error === null ? null : style("red", terminalText(error))],
    ["repository", project.repository],
    ["request", terminalText(project.requirements)],
    ["plan", plan === null ? null : terminalText(`version ${planVersion}: ${plan.summary}`)],
    ["at the end", plan === null ? null : integrationText(plan, sessions)],
    ["came of it", summary === null ? null : terminalText(summary)],
    ["branch", orchestration.branch],
    ["pull request", orchestration.pullRequestUrl],
  ])}\n${planTree(orchestration)}`;
}

/** What brings the work of all together. */
function integrationText(
  plan: NonNullable<OrchestrationResource["plan"]>,
  sessions: OrchestrationResource["sessions"],
): string | null {
  const made = sessions.find(({ role }) => role === "integrator");
  if (made !== undefined) return `session ${made.sessionId} brings all together: ${made.status}`;
  return mayIntegrate(plan) ? "one more session, where several branches are left" : null;
}

/** Tasks below what they come after; sessions where there is no plan. */
export function planTree({ plan, edges, sessions }: OrchestrationResource): string {
  if (plan === null)
    return tree(
      sessions.map((one) => ({
        id: one.sessionId,
        after: [...one.dependencies, ...one.waitsFor],
        text: `${one.sessionId}  ${statusText(one.status)}  ${one.type}  ${terminalLine(one.title ?? "", 60)}`,
      })),
      (id) => id,
    );
  const after = (id: string) => edges.filter(({ task }) => task === id).map((edge) => edge.after);
  const nodes = inOrder(plan.tasks, ({ id }) => after(id)).map(({ id, type, title }) => {
    const counted = sessions.findLast(
      ({ taskId, place }) => taskId === id && (place === "current" || place === "chosen"),
    );
    const status = counted === undefined ? "" : `${statusText(counted.status)}  `;
    const why = edges.flatMap(({ task, reason }) =>
      task === id && reason !== null ? [reason] : [],
    );
    const note = why.length === 0 ? "" : `  (${terminalLine(why.join("; "), 100)})`;
    return {
      id,
      after: after(id),
      text: `${style("bold", id)}  ${status}${type}  ${terminalLine(title, 60)}${note}`,
    };
  });
  return tree(nodes, (id) => id);
}
