import { OpenAPIHono } from "@hono/zod-openapi";
import { conflict, notFound } from "../../core/errors.ts";
import { EventBody } from "../../core/event.ts";
import { newId } from "../../core/id.ts";
import { LIMITS } from "../../core/limits.ts";
import type { StoredDelivery } from "../../store/deliveries/delivery-log.ts";
import type { HttpDeps, HttpEnv } from "../deps.ts";
import { misfit } from "../failure.ts";
import { deliveryResource } from "./delivery-resources.ts";
import * as routes from "./delivery-routes.ts";

type Whole = StoredDelivery & { payload: Buffer };

/** What forges have sent, below /api/v1/deliveries: to look at, to repeat, and to ask what would come of it. */
export function createDeliveryApi(
  deps: Pick<HttpDeps, "deliveryLog" | "simulate" | "onDelivery" | "redaction" | "clock">,
) {
  const { deliveryLog: log, redaction } = deps;

  async function find(id: string): Promise<Whole> {
    const byNumber = /^\d{1,15}$/.test(id) ? await log.get({ number: Number(id) }) : null;
    const found = byNumber ?? (await log.get({ deliveryId: id }));
    if (found === null) throw notFound("Delivery");
    return found;
  }

  return new OpenAPIHono<HttpEnv>({
    defaultHook: (result) => {
      if (!result.success) throw misfit(result.error);
    },
  })
    .openapi(routes.listDeliveries, async (c) => {
      const { cursor, limit = LIMITS.listPage, ...filter } = c.req.valid("query");
      const found = await log.list({ ...filter, before: cursor, limit: limit + 1 });
      const page = found.slice(0, limit);
      const nextCursor = found.length > limit ? (page.at(-1)?.number ?? null) : null;
      return c.json({ deliveries: page.map(deliveryResource), nextCursor }, 200);
    })
    .openapi(routes.simulateUpload, async (c) => {
      const { event, payload } = c.req.valid("json");
      const simulated = await deps.simulate({
        event,
        payload: Buffer.from(JSON.stringify(payload)),
        deliveryId: newId(),
        receivedAt: deps.clock.now().toISOString(),
      });
      return c.json(simulated, 200);
    })
    .openapi(routes.getDelivery, async (c) => {
      const delivery = await find(c.req.valid("param").id);
      return c.json(
        { ...deliveryResource(delivery), payload: redaction.body(parsed(delivery)) },
        200,
      );
    })
    .openapi(routes.replayDelivery, async (c) => {
      const { number } = await find(c.req.valid("param").id);
      if (!(await log.replay(number))) throw conflict("The delivery waits to be worked off");
      deps.onDelivery();
      return c.json(deliveryResource(await find(String(number))), 200);
    })
    .openapi(routes.simulateDelivery, async (c) =>
      c.json(await deps.simulate(await find(c.req.valid("param").id)), 200),
    );
}

/** It was an object in JSON when it was taken in. */
function parsed({ payload }: Whole): EventBody {
  return EventBody.parse(JSON.parse(payload.toString("utf8")));
}
