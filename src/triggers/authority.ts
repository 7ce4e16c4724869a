import { PERMISSIONS } from "../forge/forge.ts";
import type { ForgeRepository } from "../forge/forge.ts";
import type { TriggerSettings } from "./deps.ts";
import type { ThreadEvent } from "./payload.ts";

/** Why somebody may not ask the bot for anything; null: they may. */
export async function refusalFor(
  settings: TriggerSettings,
  repository: Pick<ForgeRepository, "permissionOf">,
  sender: ThreadEvent["sender"],
): Promise<string | null> {
  const { login, id, isBot } = sender;
  if (isBot && !settings.bots.includes(id)) return `the bot ${login} may not ask`;
  const named = settings.authorizedUsers;
  if (named.length > 0 && !named.includes(login.toLowerCase()))
    return `${login} is not among AUTHORIZED_USERS`;
  const has = await repository.permissionOf(login);
  if (PERMISSIONS.indexOf(has) >= PERMISSIONS.indexOf(settings.permission)) return null;
  return `${login} has the permission ${has}, and it takes ${settings.permission}`;
}
