import { verifyWithFallback } from "@octokit/webhooks-methods";
import { z } from "zod";
import { DeliveryHead, LISTENED, NOT_LISTENED } from "../../core/delivery.ts";
import { HubError, invalidRequest } from "../../core/errors.ts";
import type { Guard } from "../auth.ts";
import { parseJson, readBody } from "../body.ts";
import type { HttpContext, HttpDeps } from "../deps.ts";
import type { Turns } from "../turns.ts";
import type { WebhookAnswer } from "./claude.ts";

const EventName = z.string().regex(/^[a-z][a-z0-9_]{0,99}$/);
const DeliveryId = z.string().regex(/^[\w-]{1,100}$/);

/** Takes one delivery: signature first, then stored durably, then answered. */
export async function answerGithub(
  deps: Pick<HttpDeps, "deliveries" | "onDelivery" | "secrets" | "settings" | "clock">,
  guard: Guard,
  large: Turns,
  c: HttpContext,
): Promise<WebhookAnswer> {
  const [secret, ...older] = deps.secrets.github.map((one) => one.reveal());
  const signature = c.req.header("x-hub-signature-256");
  let body: Buffer = NOTHING;
  await guard.proof(c, async () => {
    // Whoever signs nothing gets no memory either.
    if (secret === undefined || signature === undefined) return false;
    const read = () => readBody(c.env.incoming, deps.settings.webhookBodyBytes);
    body = await (isLarge(c) ? large.take(read) : read());
    return (
      body.length > 0 && (await verifyWithFallback(secret, body.toString("utf8"), signature, older))
    );
  });
  const event = c.req.header("x-github-event") ?? "";
  const deliveryId = DeliveryId.safeParse(c.req.header("x-github-delivery"));
  if (!deliveryId.success) throw invalidRequest("X-GitHub-Delivery", "must be an id");
  if (c.req.header("content-type")?.startsWith("application/x-www-form-urlencoded") === true)
    throw invalidRequest(
      "Content-Type",
      "must be application/json: choose it in the webhook's settings",
    );
  const head = DeliveryHead.safeParse(parseJson(body));
  if (!head.success) throw invalidRequest("", "The body is not an object");
  const delivery = {
    provider: "github",
    deliveryId: deliveryId.data,
    event,
    ...head.data,
    payload: body,
    receivedAt: deps.clock.now().toISOString(),
  };
  if (!LISTENED.has(event)) {
    if (!EventName.safeParse(event).success)
      throw invalidRequest("X-GitHub-Event", "must be the name of an event");
    await deps.deliveries.record(delivery, NOT_LISTENED);
    // The contract's answer; what the forge takes for a failure is known here, and not asked for again.
    throw new HubError("not_found", "Webhook event not handled");
  }
  const isNew = await deps.deliveries.insert(delivery);
  if (isNew) deps.onDelivery();
  return {
    message: isNew ? "Webhook processed successfully" : "Delivery was received before",
    data: { deliveryId: deliveryId.data, event },
  };
}

const NOTHING = Buffer.alloc(0);
const LARGE_BYTES = 1024 * 1024;

/** Of that size, or of none that is known before: nobody has shown yet that it may be kept in memory. */
function isLarge(c: HttpContext): boolean {
  const length = Number(c.req.header("content-length") ?? Number.NaN);
  return !(length <= LARGE_BYTES);
}
