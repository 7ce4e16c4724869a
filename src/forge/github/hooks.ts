import { z } from "zod";
import { HubError } from "../../core/errors.ts";
import type { Repository } from "../../core/repository.ts";
import type { ForgeHook, Sent } from "../forge.ts";
import type { Client } from "./client.ts";

const PER_PAGE = 100;
const Page = z.array(
  z
    .object({
      id: z.string(),
      guid: z.string().regex(/^[\w-]{1,100}$/),
      delivered_at: z.coerce.date(),
      status_code: z.int().nullish(),
    })
    .transform((one): Sent => ({
      id: one.id,
      deliveryId: one.guid,
      deliveredAt: one.delivered_at,
      state: stateOf(one.status_code ?? 0),
    })),
);
const Whole = z.object({
  event: z.string().regex(/^[a-z][a-z0-9_]{0,99}$/),
  request: z.object({ payload: z.record(z.string(), z.unknown()) }),
});
const Hook = z.object({ id: z.int(), active: z.boolean() });

/** The App's one hook, which serves all of its installations. */
export function appHook(client: Client): ForgeHook {
  const route = "GET /app/hook/deliveries";
  return {
    name: "app",
    isOwn: true,
    sent: async (cursor) => pageOf(await client.page(null, route, pageParameters(cursor))),
    whole: async (id) =>
      wholeOf(await client.asSelf(`${route}/{delivery_id}`, { delivery_id: id })),
  };
}

/** The hooks of repositories, where the token may see them. */
export async function repositoryHooks(
  client: Client,
  repositories: readonly Repository[],
): Promise<ForgeHook[]> {
  const all: ForgeHook[] = [];
  for (const repository of repositories) {
    const hooks = await hooksOf(client, repository);
    for (const { id, active } of hooks)
      if (active) all.push(repositoryHook(client, repository, id));
  }
  return all;
}

async function hooksOf(client: Client, repository: Repository) {
  try {
    const found = await client.list(
      repository,
      "GET /repos/{owner}/{repo}/hooks",
      {},
      { maxPages: 1 },
    );
    return found.map((one) => Hook.parse(one));
  } catch (error) {
    // It takes an administrator's token to see them.
    if (error instanceof HubError && (error.code === "not_found" || error.code === "forbidden"))
      return [];
    throw error;
  }
}

function repositoryHook(client: Client, repository: Repository, id: number): ForgeHook {
  const route = "GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries";
  return {
    name: `hook ${id}`,
    isOwn: false,
    sent: async (cursor) =>
      pageOf(await client.page(repository, route, { hook_id: id, ...pageParameters(cursor) })),
    whole: async (deliveryId) =>
      wholeOf(
        await client.inRepository(repository, `${route}/{delivery_id}`, {
          hook_id: id,
          delivery_id: deliveryId,
        }),
      ),
  };
}

function pageParameters(cursor: string | null) {
  return { per_page: PER_PAGE, ...(cursor === null ? {} : { cursor }) };
}

function pageOf({ text, link }: { text: string; link: string | undefined }) {
  // Ids may have more digits than a number holds.
  const sent = Page.parse(JSON.parse(text.replaceAll(/"id":\s*(\d+)/g, '"id":"$1"')));
  const [, cursor] = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(link ?? "") ?? [];
  return { sent, next: cursor === undefined ? null : decodeURIComponent(cursor) };
}

function wholeOf(answer: unknown) {
  const { event, request } = Whole.parse(answer);
  return { event, payload: request.payload };
}

function stateOf(status: number): Sent["state"] {
  if (status >= 200 && status < 300) return "arrived";
  return status === 0 ? "on its way" : "failed";
}
