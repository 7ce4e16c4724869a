import { z } from "zod";
import { found, invalid } from "../errors.ts";
import { repositoryUrl } from "../present/people.ts";
import { appFor, created, nothing, numberIn, ok, page, read } from "../router.ts";
import { repositoryRoutes, routesFor } from "../router.ts";
import type { Call, RepositoryCall, Route } from "../router.ts";
import type { Delivery, Hook, Json, Repository } from "../state.ts";
import { addHook } from "../world.ts";
import type { World } from "../world.ts";

const configSchema = z.object({
  url: z.url().optional(),
  content_type: z.string().optional(),
  secret: z.string().optional(),
  insecure_ssl: z.union([z.string(), z.number()]).optional(),
});
const hookRequest = z.object({
  config: configSchema.optional(),
  events: z.array(z.string()).optional(),
  active: z.boolean().optional(),
});
const accepted = { status: 202, body: {} };

export const hookRoutes: Route[] = [
  ...routesFor("app", {
    "GET /app/hook/config": (call) => ok(configBody(appHook(call))),
    "PATCH /app/hook/config": (call) => {
      const hook = appHook(call);
      change(hook, { config: read(configSchema, call) });
      return ok(configBody(hook));
    },
    "GET /app/hook/deliveries": (call) => deliveries(call, appHook(call)),
    "GET /app/hook/deliveries/{delivery_id}": (call) => ok(fullBody(appHook(call), call)),
    "POST /app/hook/deliveries/{delivery_id}/attempts": (call) => {
      call.hooks.redeliver(appHook(call), delivery(appHook(call), call));
      return accepted;
    },
  }),
  ...repositoryRoutes(["repository_hooks:read"], {
    "GET /hooks": (call) => {
      const { world, repository } = call;
      return page(
        call,
        repository.hooks.map((hook) => hookBody(world, repository, hook)),
      );
    },
    "GET /hooks/{hook_id}": (call) => ok(hookBody(call.world, call.repository, hookOf(call))),
    "GET /hooks/{hook_id}/deliveries": (call) => deliveries(call, hookOf(call)),
    "GET /hooks/{hook_id}/deliveries/{delivery_id}": (call) => ok(fullBody(hookOf(call), call)),
  }),
  ...repositoryRoutes(["repository_hooks:write"], {
    "POST /hooks": (call) => {
      const { world, repository } = call;
      const { config, events, active } = read(hookRequest, call);
      const url = config?.url;
      if (url === undefined) throw invalid("Hook", "url", "url cannot be blank");
      const secret = config?.secret ?? "";
      const settings = { url, secret, events: events ?? ["push"] };
      const hook = addHook(world, "repository", repository.id, settings);
      hook.active = active ?? true;
      repository.hooks.push(hook);
      call.hooks.ping(hook, call.user, repository);
      return created(hookBody(world, repository, hook));
    },
    "PATCH /hooks/{hook_id}": (call) => {
      const hook = hookOf(call);
      change(hook, read(hookRequest, call));
      return ok(hookBody(call.world, call.repository, hook));
    },
    "DELETE /hooks/{hook_id}": (call) => {
      const { hooks } = call.repository;
      hooks.splice(hooks.indexOf(hookOf(call)), 1);
      return nothing;
    },
    "POST /hooks/{hook_id}/pings": (call) => {
      call.hooks.ping(hookOf(call), call.user, call.repository);
      return nothing;
    },
    "POST /hooks/{hook_id}/deliveries/{delivery_id}/attempts": (call) => {
      call.hooks.redeliver(hookOf(call), delivery(hookOf(call), call));
      return accepted;
    },
  }),
];

function appHook(call: Call): Hook {
  return found(appFor(call).hook);
}

function hookOf(call: RepositoryCall): Hook {
  const id = numberIn(call, "hook_id");
  return found(call.repository.hooks.find((each) => each.id === id));
}

function delivery(hook: Hook, call: Call): Delivery {
  const id = numberIn(call, "delivery_id");
  return found(hook.deliveries.find((each) => each.id === id));
}

function change(hook: Hook, { config, events, active }: z.infer<typeof hookRequest>): void {
  hook.url = config?.url ?? hook.url;
  hook.secret = config?.secret ?? hook.secret;
  hook.events = events ?? hook.events;
  hook.active = active ?? hook.active;
}

function configBody({ url, secret }: Hook): Json {
  const shown = secret === "" ? {} : { secret: "********" };
  return { content_type: "json", insecure_ssl: "0", ...shown, ...(url === "" ? {} : { url }) };
}

function hookBody(world: World, repository: Repository, hook: Hook): Json {
  const url = `${repositoryUrl(world, repository)}/hooks/${hook.id}`;
  const last = hook.deliveries.at(-1);
  return {
    type: "Repository",
    id: hook.id,
    name: "web",
    active: hook.active,
    events: hook.events,
    config: configBody(hook),
    updated_at: hook.createdAt,
    created_at: hook.createdAt,
    url,
    test_url: `${url}/test`,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: {
      code: last?.statusCode ?? null,
      status: last?.status ?? "unused",
      message: null,
    },
  };
}

/** Newest first, and by cursor: a page says in its link where the next one begins. */
function deliveries(call: Call, hook: Hook) {
  const { world, query, path } = call;
  const size = Math.min(100, Number(query.get("per_page") ?? 30) || 30);
  const cursor = query.get("cursor");
  const wanted = query.get("status");
  const all = hook.deliveries
    .toReversed()
    .filter(({ statusCode }) => statusCode !== 0)
    .filter(({ status }) => wanted === null || (wanted === "success") === (status === "OK"));
  const rest = cursor === null ? all : all.filter((each) => each.id <= Number(cursor));
  const next = rest[size];
  const body = rest.slice(0, size).map(shortBody);
  if (next === undefined) return ok(body);
  const search = new URLSearchParams(query);
  search.set("cursor", String(next.id));
  return {
    ...ok(body),
    headers: { link: `<${world.apiUrl}${path}?${search.toString()}>; rel="next"` },
  };
}

function shortBody(each: Delivery): Json {
  return {
    id: each.id,
    guid: each.guid,
    delivered_at: each.deliveredAt,
    redelivery: each.redelivery,
    duration: each.durationSeconds,
    status: each.status,
    status_code: each.statusCode,
    event: each.event,
    action: each.action,
    throttled_at: null,
    installation_id: each.installationId,
    repository_id: each.repositoryId,
  };
}

function fullBody(hook: Hook, call: Call): Json {
  const each = delivery(hook, call);
  const { request, response } = each;
  return { ...shortBody(each), url: hook.url, request, response };
}
