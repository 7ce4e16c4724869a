import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Answer } from "./router.ts";
import type { Job, Level } from "./state.ts";
import { addApp, now, userNamed } from "./world.ts";
import type { World } from "./world.ts";

const CODE_LIFE_MS = 3_600_000;
const levelSchema = z.enum(["read", "write", "admin"]) satisfies z.ZodType<Level>;

const manifestSchema = z.object({
  name: z.string().min(1).optional(),
  url: z.url(),
  hook_attributes: z.object({ url: z.url(), active: z.boolean().optional() }).optional(),
  redirect_url: z.url().optional(),
  callback_urls: z.array(z.url()).max(10).optional(),
  setup_url: z.url().optional(),
  description: z.string().optional(),
  public: z.boolean().optional(),
  default_events: z.array(z.string()).optional(),
  default_permissions: z.record(z.string(), levelSchema).optional(),
  request_oauth_on_install: z.boolean().optional(),
  setup_on_update: z.boolean().optional(),
});

/** What a browser would ask: the page that makes an App from a manifest, and logs by their signed address. */
export function webAnswer(world: World, method: string, url: URL, body: string): Answer {
  const organization = /^\/organizations\/([^/]+)\/settings\/apps\/new$/.exec(url.pathname)?.[1];
  if (organization !== undefined || url.pathname === "/settings/apps/new") {
    if (method !== "POST") return { status: 200, text: "Register new GitHub App" };
    const form = new URLSearchParams(body);
    const state = url.searchParams.get("state") ?? form.get("state");
    return registerApp(world, organization ?? "octo", form.get("manifest") ?? "", state);
  }
  const log = /^\/_logs\/(\d+)$/.exec(url.pathname)?.[1];
  const job = world.repositories
    .flatMap((repository) => repository.runs.flatMap((run): Job[] => run.jobs))
    .find((each) => String(each.id) === log);
  return job === undefined ? { status: 404, text: "Not Found" } : { status: 200, text: job.log };
}

/** As if the person who is signed in pressed the button at once. */
function registerApp(world: World, owner: string, text: string, state: string | null): Answer {
  const manifest = manifestSchema.safeParse(JSON.parse(text === "" ? "null" : text));
  if (!manifest.success) {
    return { status: 422, text: `Invalid GitHub App configuration: ${manifest.error.message}` };
  }
  const { data } = manifest;
  const code = randomBytes(20).toString("hex");
  const app = addApp(world, {
    slug: (data.name ?? `app-${code.slice(0, 6)}`).toLowerCase().replaceAll(/[^a-z0-9]+/g, "-"),
    owner: userNamed(world, owner).login,
    permissions: data.default_permissions ?? {},
    events: data.default_events ?? [],
    hookUrl: data.hook_attributes?.url,
  });
  if (data.hook_attributes?.active === false && app.hook !== null) app.hook.active = false;
  world.manifests.set(code, { app, expiresAt: new Date(now(world).getTime() + CODE_LIFE_MS) });
  const location = new URL(data.redirect_url ?? data.url);
  location.searchParams.set("code", code);
  if (state !== null) location.searchParams.set("state", state);
  return { status: 302, text: "", headers: { location: location.href } };
}
