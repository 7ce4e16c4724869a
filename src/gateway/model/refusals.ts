import type { Id } from "../../core/id.ts";

/** A request that asked the provider for something that the hub does not allow. */
export interface ModelRefusal {
  sessionId: Id;
  model: string;
  service: string;
}

/** Tells of refused requests, so that no session can fill its log with them. */
export interface Refusals {
  tell(refusal: ModelRefusal): Promise<void>;
}

const SERVICES_TOLD = 20;
const SESSIONS_KEPT = 1_000;

/** Each service is told once a session; a session that was long ago may be told of again. */
export function createRefusals(onRefusal: (refusal: ModelRefusal) => Promise<void>): Refusals {
  const told = new Map<Id, Set<string>>();
  return {
    async tell(refusal) {
      const services = told.get(refusal.sessionId) ?? new Set();
      if (services.has(refusal.service) || services.size >= SERVICES_TOLD) return;
      services.add(refusal.service);
      told.set(refusal.sessionId, services);
      const [oldest] = told.keys();
      if (told.size > SESSIONS_KEPT && oldest !== undefined) told.delete(oldest);
      await onRefusal(refusal);
    },
  };
}
