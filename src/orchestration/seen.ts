import { allowsRepository, isWhole, sees } from "../core/access.ts";
import type { Access } from "../core/access.ts";
import { forbidden, notFound } from "../core/errors.ts";
import type { Id } from "../core/id.ts";
import type { OrchestrationView } from "../core/orchestration.ts";
import type { Orchestrations } from "./orchestrations.ts";

/**
 * The same orchestrations, as far as they are there for who asks. Whoever belongs to one may look at it, and at no other;
 * what becomes of it is not theirs to say.
 */
export function orchestrationsFor(orchestrations: Orchestrations, access: Access): Orchestrations {
  if (isWhole(access)) return orchestrations;

  function refuseMembers(): void {
    if (access.orchestrationId !== null)
      throw forbidden("The token is limited to one orchestration");
  }

  async function get(id: Id): Promise<OrchestrationView> {
    if (access.orchestrationId !== null && access.orchestrationId !== id)
      throw notFound("Orchestration");
    const found = await orchestrations.get(id);
    const { repository } = found.project;
    if (!sees(access, { repository, orchestrationId: id })) throw notFound("Orchestration");
    return found;
  }

  return {
    async create(input) {
      refuseMembers();
      if (!allowsRepository(access, input.project.repository)) throw notFound("Repository");
      return await orchestrations.create(input);
    },
    get,
    async list(query) {
      if (access.orchestrationId !== null) {
        const { edges: _, sessions: __, ...own } = await get(access.orchestrationId);
        return { orchestrations: [own], nextCursor: null };
      }
      const { repository } = query;
      if (repository !== undefined && !allowsRepository(access, repository))
        return { orchestrations: [], nextCursor: null };
      return await orchestrations.list({
        ...query,
        repositories: access.repositories ?? undefined,
      });
    },
    async changePlan(id, change) {
      refuseMembers();
      await get(id);
      return await orchestrations.changePlan(id, change);
    },
    async approve(id, version) {
      refuseMembers();
      await get(id);
      return await orchestrations.approve(id, version);
    },
    async cancel(id) {
      refuseMembers();
      await get(id);
      return await orchestrations.cancel(id);
    },
  };
}
