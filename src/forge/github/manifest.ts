import { z } from "zod";
import { HubError, upstreamFailed } from "../../core/errors.ts";
import type { Permissions } from "./tokens.ts";

/** What the App must be allowed in the repositories that it works on. */
export const APP_PERMISSIONS: Permissions = {
  actions: "read",
  checks: "write",
  contents: "write",
  issues: "write",
  metadata: "read",
  pull_requests: "write",
  statuses: "read",
};
/** What it must be told of; of installations it is told unasked. */
export const APP_EVENTS = [
  "check_run",
  "check_suite",
  "issue_comment",
  "issues",
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
  "push",
  "repository",
  "status",
  "workflow_run",
];

const CONVERT_MS = 30_000;
const MAX_ANSWER_BYTES = 1_048_576;

/** Where a person makes an App from a manifest. */
export function registrationUrl(
  serverUrl: string,
  organization: string | null,
  state: string,
): string {
  const owner = organization === null ? "" : `/organizations/${encodeURIComponent(organization)}`;
  const url = new URL(`${serverUrl.replace(/\/+$/, "")}${owner}/settings/apps/new`);
  url.searchParams.set("state", state);
  return url.href;
}

/** Source: https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest */
export function appManifest(options: {
  /** Null: the person names it. */
  name: string | null;
  /** Where GitHub reaches the hub. */
  hubUrl: string;
  redirectUrl: string;
  /** Whether sessions may change workflows. */
  workflows: boolean;
}): Record<string, unknown> {
  const hub = options.hubUrl.replace(/\/+$/, "");
  return {
    ...(options.name === null ? {} : { name: options.name }),
    url: hub,
    description: "Works on issues and pull requests when it is mentioned.",
    hook_attributes: { url: `${hub}/api/webhooks/github`, active: true },
    redirect_url: options.redirectUrl,
    public: false,
    default_permissions: {
      ...APP_PERMISSIONS,
      ...(options.workflows ? { workflows: "write" } : {}),
    },
    default_events: APP_EVENTS,
  };
}

const Conversion = z.object({
  id: z.int().positive(),
  slug: z.string().min(1),
  html_url: z.url({ protocol: /^https?$/ }),
  client_id: z.string(),
  client_secret: z.string(),
  webhook_secret: z.string(),
  pem: z.string().regex(/-----BEGIN [A-Z ]*PRIVATE KEY-----/),
});

/**
 * The App that a code stands for; a code is good once, and for an hour.
 *
 * @throws HubError `invalid_request` when the code is not good (any more), `upstream_failed` when it may be tried again.
 */
export async function convertManifest(
  apiUrl: string,
  code: string,
): Promise<z.infer<typeof Conversion>> {
  const url = `${apiUrl.replace(/\/+$/, "")}/app-manifests/${encodeURIComponent(code)}/conversions`;
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { accept: "application/vnd.github+json", "user-agent": "claude-hub" },
      redirect: "error",
      signal: AbortSignal.timeout(CONVERT_MS),
    });
    text = await response.text();
  } catch (error) {
    throw upstreamFailed("forge", error);
  }
  if (response.status === 404 || response.status === 422)
    throw new HubError("invalid_request", "GitHub does not know the code (any more)");
  if (response.status !== 201 || text.length > MAX_ANSWER_BYTES)
    throw upstreamFailed("forge", new Error(`the answer was ${response.status}`));
  const app = Conversion.safeParse(parsed(text));
  // Nothing of the answer goes into the error: it holds keys.
  if (!app.success)
    throw new HubError("invalid_request", "GitHub answered with something that is no App");
  return app.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
