import { z } from "zod";
import { DeliveryState, threadNumber } from "../../core/delivery.ts";
import { EventBody } from "../../core/event.ts";
import { Repository } from "../../core/repository.ts";
import type { StoredDelivery } from "../../store/deliveries/delivery-log.ts";

const time = z.iso.datetime();

const fields = {
  number: z.int().meta({ description: "In the order in which they came." }),
  id: z.string().meta({ description: "As the forge names it." }),
  provider: z.string(),
  event: z.string(),
  action: z.string().nullable(),
  repository: z.string().nullable(),
  thread: z.int().nullable().meta({ description: "Number of the issue or pull request." }),
  sender: z.string().nullable(),
  state: DeliveryState,
  outcome: z.string().nullable().meta({ description: "What came of it, or went wrong last." }),
  attempts: z.int(),
  repeats: z.int().meta({ description: "How often the forge has sent it once more." }),
  receivedAt: time,
  dueAt: time.nullable().meta({ description: "When it is tried again." }),
  finishedAt: time.nullable(),
};

/** A delivery as /api/v1 shows it in lists. */
export const DeliveryResource = z.object(fields).meta({ id: "Delivery" });
type DeliveryResource = z.infer<typeof DeliveryResource>;

export const WholeDeliveryResource = z
  .object({ ...fields, payload: EventBody })
  .meta({ id: "WholeDelivery" });

export const DeliveryPageResource = z
  .object({ deliveries: z.array(DeliveryResource), nextCursor: z.int().nullable() })
  .meta({ id: "DeliveryPage" });

export const SimulationResource = z
  .object({
    reason: z
      .string()
      .nullable()
      .meta({ description: "Why no rule is asked at all; null: they are." }),
    rules: z.array(
      z.object({
        rule: z.string(),
        would: z.string().nullable().meta({ description: "What it would do." }),
        why: z.string().nullable().meta({ description: "Why it would do nothing." }),
      }),
    ),
  })
  .meta({ id: "Simulation" });

/** A delivery that is only thought of. */
export const NewSimulation = z
  .object({
    event: z.string().regex(/^[a-z][a-z0-9_]{0,99}$/, "must be the name of an event"),
    payload: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "NewSimulation" });

export const DeliveryQuery = z.object({
  state: DeliveryState.optional(),
  event: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,99}$/)
    .optional(),
  repository: Repository.optional(),
  thread: z.coerce.number().int().min(1).max(2_147_483_647).optional(),
  limit: z.coerce.number().int().min(1).max(100).optional(),
  cursor: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
});

export function deliveryResource(delivery: StoredDelivery): DeliveryResource {
  const { deliveryId: id, thread } = delivery;
  return {
    number: delivery.number,
    id,
    provider: delivery.provider,
    event: delivery.event,
    action: delivery.action,
    repository: delivery.repository,
    thread: threadNumber(thread),
    sender: delivery.sender,
    state: delivery.state,
    outcome: delivery.outcome,
    attempts: delivery.attempts,
    repeats: delivery.repeats,
    receivedAt: delivery.receivedAt,
    dueAt: delivery.dueAt,
    finishedAt: delivery.finishedAt,
  };
}
