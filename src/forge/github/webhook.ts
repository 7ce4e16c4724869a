import { z } from "zod";
import { HubError } from "../../core/errors.ts";
import type { Repository } from "../../core/repository.ts";
import type { Client } from "./client.ts";
import { APP_EVENTS } from "./manifest.ts";

/** What a repository tells the hub of, where no App does. */
export const WEBHOOK_EVENTS = APP_EVENTS;

/** `hidden`: whoever asks may not see hooks. */
export type WebhookState = "active" | "inactive" | "missing" | "hidden";

const Hook = z.object({
  id: z.int(),
  active: z.boolean(),
  config: z.object({ url: z.string().optional() }),
});

/** Whether a repository's webhook to this address is there. */
export async function webhookState(
  client: Client,
  repository: Repository,
  url: string,
): Promise<WebhookState> {
  const hook = await ifAllowed(() => hookTo(client, repository, url));
  if (hook === undefined) return "hidden";
  if (hook === null) return "missing";
  return hook.active ? "active" : "inactive";
}

/** Makes the webhook, or brings the one to this address up to date; false: only the repository's owner may. */
export async function putWebhook(
  client: Client,
  repository: Repository,
  { url, secret }: { url: string; secret: string },
): Promise<boolean> {
  const settings = {
    active: true,
    events: WEBHOOK_EVENTS,
    config: { url, secret, content_type: "json", insecure_ssl: "0" },
  };
  const done = await ifAllowed(async () => {
    const hook = await hookTo(client, repository, url);
    if (hook === null)
      await client.inRepository(repository, "POST /repos/{owner}/{repo}/hooks", {
        name: "web",
        ...settings,
      });
    else
      await client.inRepository(repository, "PATCH /repos/{owner}/{repo}/hooks/{hook_id}", {
        hook_id: hook.id,
        ...settings,
      });
    return true;
  });
  return done === true;
}

async function hookTo(client: Client, repository: Repository, url: string) {
  const route = "GET /repos/{owner}/{repo}/hooks";
  const hooks = await client.list(repository, route, {}, { maxPages: 1 });
  return hooks.map((one) => Hook.parse(one)).find(({ config }) => config.url === url) ?? null;
}

/** Undefined: GitHub says that one may not, or that there is nothing, which is its other way to say so. */
async function ifAllowed<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HubError && (error.code === "not_found" || error.code === "forbidden"))
      return undefined;
    throw error;
  }
}
