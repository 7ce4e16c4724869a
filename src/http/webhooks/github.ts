import { verifyWithFallback } from "@octokit/webhooks-methods";
import { z } from "zod";
import { HubError, invalidRequest } from "../../core/errors.ts";
import type { Guard } from "../auth.ts";
import { parseJson, readBody } from "../body.ts";
import type { HttpContext, HttpDeps } from "../deps.ts";
import type { WebhookAnswer } from "./claude.ts";

/** Events that the hub listens to. */
const EVENTS = new Set([
  "ping",
  "issues",
  "issue_comment",
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
  "check_suite",
  "check_run",
  "status",
  "workflow_run",
  "push",
  "repository",
  "installation",
  "installation_repositories",
]);

/** PostgreSQL's text holds no NUL. */
const short = z
  .string()
  .max(200)
  .refine((text) => !text.includes("\u0000"));
const numbered = z.object({ number: z.int() }).nullish().catch(null);
const headed = z.object({ head_sha: short }).nullish().catch(null);
const Payload = z.object({
  action: short.nullish().catch(null),
  repository: z.object({ id: z.int(), full_name: short }).nullish().catch(null),
  sender: z.object({ login: short }).nullish().catch(null),
  issue: numbered,
  pull_request: numbered,
  check_suite: headed,
  check_run: headed,
  workflow_run: headed,
  sha: short.nullish().catch(null),
});
const DeliveryId = z.string().regex(/^[\w-]{1,100}$/);

/** Takes one delivery: signature first, then stored durably, then answered. */
export async function answerGithub(
  deps: Pick<HttpDeps, "deliveries" | "onDelivery" | "secrets" | "settings" | "clock">,
  guard: Guard,
  c: HttpContext,
): Promise<WebhookAnswer> {
  const [secret, ...older] = deps.secrets.github.map((one) => one.reveal());
  const signature = c.req.header("x-hub-signature-256");
  let body: Buffer = NOTHING;
  await guard.proof(c, async () => {
    // Whoever signs nothing gets no memory either.
    if (secret === undefined || signature === undefined) return false;
    body = await readBody(c.env.incoming, deps.settings.webhookBodyBytes);
    return (
      body.length > 0 && (await verifyWithFallback(secret, body.toString("utf8"), signature, older))
    );
  });
  const event = c.req.header("x-github-event") ?? "";
  const deliveryId = DeliveryId.safeParse(c.req.header("x-github-delivery"));
  if (!deliveryId.success) throw invalidRequest("X-GitHub-Delivery", "must be an id");
  if (!EVENTS.has(event)) throw new HubError("not_found", "Webhook event not handled");
  if (c.req.header("content-type")?.startsWith("application/x-www-form-urlencoded") === true)
    throw invalidRequest(
      "Content-Type",
      "must be application/json: choose it in the webhook's settings",
    );
  const payload = Payload.safeParse(parseJson(body));
  if (!payload.success) throw invalidRequest("", "The body is not an object");
  const { action, repository, sender } = payload.data;
  const isNew = await deps.deliveries.insert({
    provider: "github",
    deliveryId: deliveryId.data,
    event,
    action: action ?? null,
    repository: repository?.full_name ?? null,
    sender: sender?.login ?? null,
    thread: threadOf(payload.data),
    payload: body,
    receivedAt: deps.clock.now().toISOString(),
  });
  if (isNew) deps.onDelivery();
  return {
    message: isNew ? "Webhook processed successfully" : "Delivery was received before",
    data: { deliveryId: deliveryId.data, event },
  };
}

const NOTHING = Buffer.alloc(0);

/** What deliveries are worked off in order by: the issue or pull request, else the commit. */
function threadOf(payload: z.infer<typeof Payload>): string | null {
  const { repository, issue, pull_request: pull } = payload;
  if (repository == null) return null;
  const number = (issue ?? pull)?.number;
  if (number !== undefined) return `github ${repository.id}#${number}`;
  const headSha =
    (payload.check_suite ?? payload.check_run ?? payload.workflow_run)?.head_sha ?? payload.sha;
  return headSha == null ? `github ${repository.id}` : `github ${repository.id}@${headSha}`;
}
