import type { BotSettings } from "../core/bot-settings.ts";
import { PERMISSIONS } from "../core/permission.ts";
import type { ForgeRepository } from "../forge/forge.ts";
import type { ThreadEvent } from "./payload.ts";

/** Why somebody may not ask the bot for anything; null: they may. */
export async function refusalFor(
  settings: Pick<BotSettings, "authorizedUsers" | "permission" | "bots" | "fault">,
  repository: Pick<ForgeRepository, "permissionOf">,
  sender: ThreadEvent["sender"],
): Promise<string | null> {
  const { login, id, isBot } = sender;
  if (isBot && !settings.bots.includes(id)) return `the bot ${login} may not ask`;
  const named = settings.authorizedUsers;
  if (named !== null && !named.includes(login.toLowerCase()))
    return `${login} is not among AUTHORIZED_USERS, or those whom the repository names`;
  const has = await repository.permissionOf(login);
  if (PERMISSIONS.indexOf(has) >= PERMISSIONS.indexOf(settings.permission)) return null;
  const why = settings.fault === null ? "" : `, since ${settings.fault}`;
  return `${login} has the permission ${has}, and it takes ${settings.permission}${why}`;
}
