import type { Hub, OrchestrationResource } from "../../client/hub.ts";
import { CommandError } from "../exit.ts";

const WHOLE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The orchestration with this id, or the only one whose id begins so. */
export async function findOrchestration(hub: Hub, text: string): Promise<OrchestrationResource> {
  const id = text.trim().toLowerCase();
  if (WHOLE.test(id)) return await hub.orchestration(id);
  if (!/^[0-9a-f][0-9a-f-]{0,35}$/.test(id))
    throw new CommandError("usage", `${JSON.stringify(text)} is no id of an orchestration`);
  const { orchestrations } = await hub.orchestrations({ idPrefix: id, limit: 6 });
  const [found] = orchestrations;
  if (found === undefined)
    throw new CommandError("notFound", `there is no orchestration whose id begins with ${id}`);
  if (orchestrations.length === 1) return await hub.orchestration(found.id);
  const lines = orchestrations.map((one) => `  ${one.id}  ${one.state}  ${one.project.repository}`);
  throw new CommandError(
    "notFound",
    `several orchestrations have an id that begins with ${id}; say more of it:\n${lines.join("\n")}`,
  );
}
