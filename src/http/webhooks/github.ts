import { verify } from "@octokit/webhooks-methods";
import { z } from "zod";
import { HubError, invalidRequest } from "../../core/errors.ts";
import type { Guard } from "../auth.ts";
import { parseJson, readBody } from "../body.ts";
import type { HttpContext, HttpDeps } from "../deps.ts";
import type { WebhookAnswer } from "./claude.ts";

/** What the hub does about an event of GitHub, in one sentence. Events that are not named here are not for it. */
const INTENTS: Record<string, string> = {
  ping: "nothing: GitHub asks whether somebody listens",
  issues: "would look for a mention of the bot or a label in the issue",
  issue_comment: "would look for a mention of the bot in the comment",
  pull_request:
    "would look for a mention of the bot in the pull request, and for pull requests that ended",
  pull_request_review: "would look for a mention of the bot in the review",
  pull_request_review_comment: "would look for a mention of the bot in the comment on the code",
  check_suite: "would look whether checks of a branch of the bot have failed",
  check_run: "would look whether a check of a branch of the bot has failed",
  workflow_run: "would look whether a workflow of a branch of the bot has failed",
  push: "would make the repository's mirror fresh",
  installation: "would note where the app is installed",
  installation_repositories: "would note which repositories the app may reach",
};

/** PostgreSQL's text holds no NUL. */
const short = z
  .string()
  .max(200)
  .refine((text) => !text.includes("\u0000"));
const Payload = z.object({
  action: short.nullish().catch(null),
  repository: z.object({ full_name: short }).nullish().catch(null),
  sender: z.object({ login: short }).nullish().catch(null),
});
const DeliveryId = z.string().regex(/^[\w-]{1,100}$/);

/** Takes one delivery: signature first, then stored durably, then answered. */
export async function answerGithub(
  deps: Pick<HttpDeps, "deliveries" | "secrets" | "settings" | "clock">,
  guard: Guard,
  c: HttpContext,
): Promise<WebhookAnswer> {
  const secret = deps.secrets.github;
  const signature = c.req.header("x-hub-signature-256");
  let body: Buffer = NOTHING;
  await guard.proof(c, async () => {
    // Whoever signs nothing gets no memory either.
    if (secret === null || signature === undefined) return false;
    body = await readBody(c.env.incoming, deps.settings.webhookBodyBytes);
    return body.length > 0 && (await verify(secret.reveal(), body.toString("utf8"), signature));
  });
  const event = c.req.header("x-github-event") ?? "";
  const deliveryId = DeliveryId.safeParse(c.req.header("x-github-delivery"));
  if (!deliveryId.success) throw invalidRequest("X-GitHub-Delivery", "must be an id");
  const intent = Object.hasOwn(INTENTS, event) ? INTENTS[event] : undefined;
  if (intent === undefined) throw new HubError("not_found", "Webhook event not handled");
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
    intent,
    payload: body,
    receivedAt: deps.clock.now().toISOString(),
  });
  return {
    message: isNew ? "Webhook processed successfully" : "Delivery was received before",
    data: { deliveryId: deliveryId.data, event, intent },
  };
}

const NOTHING = Buffer.alloc(0);
