import type { Plan } from "../core/plan.ts";
import type { Branch, Repository } from "../core/repository.ts";
import type { createClient } from "./client.ts";
import { refusalOf } from "./refusal.ts";

export interface NewOrchestration {
  autoStart: boolean;
  plan: "propose" | Plan;
  project: { repository: Repository; requirements: string; branch?: Branch };
}

/** Orchestrations of a hub, as functions. */
export function orchestrationsOf({ orchestrations }: ReturnType<typeof createClient>) {
  return {
    async orchestrate(request: NewOrchestration) {
      const answer = await orchestrations.$post({ json: request });
      if (answer.status !== 201) throw await refusalOf(answer);
      return await answer.json();
    },
    async orchestration(id: string) {
      const answer = await orchestrations[":id"].$get({ param: { id } });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
    /** Newest first. */
    async orchestrations(query: { idPrefix: string; limit: number }) {
      const answer = await orchestrations.$get({ query: { ...query, limit: String(query.limit) } });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
    async changePlan(id: string, change: { plan: Plan; version: number }) {
      const answer = await orchestrations[":id"].plan.$put({ param: { id }, json: change });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
    async approvePlan(id: string, version: number) {
      const answer = await orchestrations[":id"].approve.$post({
        param: { id },
        json: { version },
      });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
    async cancelOrchestration(id: string) {
      const answer = await orchestrations[":id"].cancel.$post({ param: { id } });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
  };
}
