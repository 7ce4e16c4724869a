import { HubError } from "../core/errors.ts";
import type { ClaimedDelivery } from "../store/delivery-queue.ts";
import { onClosed } from "./closed.ts";
import type { TriggerDeps } from "./deps.ts";
import { heardOf } from "./heard.ts";
import { Payload } from "./payload.ts";
import type { ThreadEvent } from "./payload.ts";
import { obey } from "./obey.ts";
import type { Outcome } from "./worker.ts";

/** What the hub does about deliveries. */
export interface Triggers {
  /** Safe to repeat. */
  handle(delivery: ClaimedDelivery): Promise<Outcome>;
}

export function createTriggers(deps: TriggerDeps): Triggers {
  return {
    async handle(delivery) {
      const read = readEvent(delivery);
      if (typeof read === "string") return ignored(read);
      const { account } = await deps.forge.self();
      const repository = deps.forge.repository(read.repository.name);
      try {
        if (read.action === "closed") return await onClosed(deps, read);
        if (read.sender.id === account.id) return ignored("the bot itself did it");
        const heard = await heardOf(deps, repository, read);
        if (typeof heard === "string") return ignored(heard);
        return await obey(deps, repository, read, heard);
      } catch (error) {
        if (!(error instanceof HubError) || error.code !== "not_found") throw error;
        return ignored("what it is about is gone, or not for the bot to see");
      }
    },
  };
}

function ignored(outcome: string): Outcome {
  return { state: "ignored", outcome };
}

/** Why a delivery is not for the bot, or what it is about. */
function readEvent({ event, payload, deliveryId, receivedAt }: ClaimedDelivery) {
  if (event === "ping") return "GitHub asks whether somebody listens";
  const parsed = Payload.safeParse(parse(payload));
  if (!parsed.success) return "it is not what GitHub sends";
  const { action, sender, repository, issue, pull_request: pull } = parsed.data;
  const number = (issue ?? pull)?.number;
  if (repository == null || number === undefined) return "it is about no issue and no pull request";
  if (sender == null) return "it does not say who did it";
  return {
    event,
    action: action ?? "",
    sender: { id: sender.id, login: sender.login, isBot: sender.type !== "User" },
    repository: { id: repository.id, name: repository.full_name },
    number,
    payload: parsed.data,
    deliveryId,
    receivedAt,
  } satisfies ThreadEvent;
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    // Taken in with a good signature, so it was JSON then; what is no object fits no schema.
    return null;
  }
}
