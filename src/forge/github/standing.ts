import type { Logger } from "pino";
import { z } from "zod";
import { createClient } from "./client.ts";
import type { Client } from "./client.ts";
import { APP_EVENTS, APP_PERMISSIONS } from "./manifest.ts";
import type { Identity, Permissions } from "./tokens.ts";

/** Whom the forge takes the hub for, and what is missing there. */
export type Standing = { kind: "user"; login: string } | AppStanding;

export interface AppStanding {
  kind: "app";
  id: number;
  slug: string;
  /** The App's page, for people. */
  url: string;
  missingPermissions: string[];
  missingEvents: string[];
  installations: {
    account: string;
    isSuspended: boolean;
    /** What the App has asked for since, and nobody has allowed. */
    missingPermissions: string[];
  }[];
  hookUrl: string | null;
  /** Of the newest deliveries, `failed` were not taken; a failure is said with its status. */
  deliveries: { count: number; failed: number; lastFailure: string | null };
}

const MAX_PAGES = 5;
const PAGE = 100;
const LOOKED_AT = 30;
const LEVELS = ["read", "write", "admin"];

const Granted = z.record(z.string(), z.string());
const AppAnswer = z.object({
  id: z.int(),
  slug: z.string(),
  html_url: z.string(),
  permissions: Granted,
  events: z.array(z.string()),
});
const InstallationAnswer = z.object({
  account: z.object({ login: z.string().optional(), slug: z.string().optional() }).nullable(),
  permissions: Granted,
  suspended_at: z.string().nullish(),
});
const DeliveryAnswer = z.object({
  delivered_at: z.string(),
  status: z.string(),
  status_code: z.int(),
});

/** Asks the forge who the hub is. @throws HubError when it does not say. */
export async function standingOf(options: {
  apiUrl: string;
  identity: Identity;
  timeoutMs: number;
  /** Whether sessions may change workflows. */
  workflows: boolean;
  log: Logger;
}): Promise<Standing> {
  const { identity, workflows } = options;
  const client = await createClient({ ...options, throttle: false });
  if ("token" in identity) {
    const { login } = z.object({ login: z.string() }).parse(await client.asSelf("GET /user"));
    return { kind: "user", login };
  }
  const app = AppAnswer.parse(await client.asSelf("GET /app"));
  const wanted: Permissions = {
    ...APP_PERMISSIONS,
    ...(workflows ? { workflows: "write" as const } : {}),
  };
  const hook = z
    .object({ url: z.string().nullish() })
    .parse(await client.asSelf("GET /app/hook/config"));
  return {
    kind: "app",
    id: app.id,
    slug: app.slug,
    url: app.html_url,
    missingPermissions: missing(wanted, app.permissions),
    missingEvents: APP_EVENTS.filter((name) => !app.events.includes(name)),
    installations: (await installationsOf(client)).map((one) => ({
      account: one.account?.login ?? one.account?.slug ?? "an account that is gone",
      isSuspended: one.suspended_at != null,
      missingPermissions: missing(wanted, one.permissions),
    })),
    hookUrl: hook.url ?? null,
    deliveries: await deliveriesOf(client),
  };
}

async function installationsOf(client: Client) {
  const found: z.infer<typeof InstallationAnswer>[] = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const answer = await client.asSelf("GET /app/installations", { per_page: PAGE, page });
    const list = z.array(InstallationAnswer).parse(answer);
    found.push(...list);
    if (list.length < PAGE) break;
  }
  return found;
}

async function deliveriesOf(client: Client): Promise<AppStanding["deliveries"]> {
  const answer = await client.asSelf("GET /app/hook/deliveries", { per_page: LOOKED_AT });
  const deliveries = z.array(DeliveryAnswer).parse(answer);
  const failed = deliveries.filter(({ status_code: code }) => code < 200 || code > 299);
  const [last] = failed;
  return {
    count: deliveries.length,
    failed: failed.length,
    lastFailure: last === undefined ? null : `${last.status} at ${last.delivered_at}`,
  };
}

function missing(wanted: Permissions, granted: Record<string, string>): string[] {
  return Object.entries(wanted).flatMap(([name, level]) =>
    LEVELS.indexOf(granted[name] ?? "") >= LEVELS.indexOf(level) ? [] : [`${name}: ${level}`],
  );
}
