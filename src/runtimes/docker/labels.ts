import { createHash } from "node:crypto";

/** On every container and volume of a hub. */
export const OWNER = "claude-hub.owner";
/** On those that are made to be looked at from inside. */
export const DOCTOR = "claude-hub.doctor";
/** On the containers that only try whether there can be containers. */
export const PROBE = "claude-hub.probe";

/** Hashed, because sandboxes see it and have no business with the hub's name. */
export function ownerOfHub(hubId: string): string {
  return createHash("sha256").update(hubId).digest("hex").slice(0, 16);
}
