import { allowsRepository, isWhole } from "../core/access.ts";
import type { Access } from "../core/access.ts";
import { forbidden, notFound } from "../core/errors.ts";
import type { Orchestrations } from "./orchestrations.ts";

/** The same orchestrations, as far as they are there for who asks. */
export function orchestrationsFor(orchestrations: Orchestrations, access: Access): Orchestrations {
  if (isWhole(access)) return orchestrations;
  return {
    async create(input) {
      if (access.orchestrationId !== null)
        throw forbidden("The token is limited to one orchestration");
      if (!allowsRepository(access, input.project.repository)) throw notFound("Repository");
      return await orchestrations.create(input);
    },
  };
}
