import { createHmac, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { z } from "zod";
import { openDatabase } from "../../src/store/database.ts";
import type { GitHubHouse } from "./github-house.ts";
import { waitFor } from "./wait.ts";

const Json = z.record(z.string(), z.unknown());
type Json = z.infer<typeof Json>;

export interface Example {
  event: string;
  payload: Json;
}

/** Every example of a delivery that GitHub's own library has. */
export async function recordedExamples(): Promise<Example[]> {
  const path = createRequire(import.meta.url).resolve(
    "@octokit/webhooks-examples/api.github.com/index.json",
  );
  return z
    .array(z.object({ name: z.string(), examples: z.array(Json) }))
    .parse(JSON.parse(await readFile(path, "utf8")))
    .flatMap(({ name, examples }) => examples.map((payload) => ({ event: name, payload })));
}

/** The example with each field of the first and second level taken out, and with it nulled or of another type. */
export function misshapen({ event, payload }: Example): Example[] {
  return Object.keys(payload).flatMap((name) => {
    const inner = Json.safeParse(payload[name]);
    return [
      ...variants(payload, name),
      ...(inner.success
        ? Object.keys(inner.data).flatMap((key) =>
            variants(inner.data, key).map((value) => ({ ...payload, [name]: value })),
          )
        : []),
    ].map((one) => ({ event, payload: one }));
  });
}

function variants(object: Json, name: string): Json[] {
  const { [name]: _, ...without } = object;
  return [without, { ...object, [name]: null }, { ...object, [name]: [{ id: "\u0000" }] }];
}

export interface Sent {
  id: string;
  status: number;
}

/** How a delivery is sent that is not sent as GitHub does. */
export interface Manner {
  id?: string;
  /** False: a wrong signature; null: none. */
  signed?: boolean | null;
  headers?: Record<string, string>;
}

/** Sends deliveries to the hub of a house, and tells what became of them. */
export function createSender({ hub, app, databaseUrl }: GitHubHouse) {
  const database = openDatabase({
    url: databaseUrl,
    maxConnections: 1,
    onIdleError: () => undefined,
  });
  return {
    async send(event: string, body: Buffer | Json, manner: Manner = {}): Promise<Sent> {
      const { id = randomUUID(), signed = true, headers = {} } = manner;
      const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
      const secret = signed === false ? "of somebody else" : app.webhookSecret;
      const signature = createHmac("sha256", secret).update(bytes).digest("hex");
      const response = await fetch(`${hub.url}/api/webhooks/github`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-github-event": event,
          "x-github-delivery": id,
          ...(signed === null ? {} : { "x-hub-signature-256": `sha256=${signature}` }),
          ...headers,
        },
        body: bytes,
      });
      await response.arrayBuffer();
      return { id, status: response.status };
    },
    /** Once all is worked off: what became of each. */
    async outcomes() {
      const { db } = database;
      const all = () =>
        db.selectFrom("deliveries").select(["delivery_id", "event", "state", "outcome"]).execute();
      return await waitFor(
        async () => {
          const rows = await all();
          return rows.every(({ state }) => state !== "waiting") && rows;
        },
        { timeoutMs: 90_000, intervalMs: 100, what: "deliveries to be worked off" },
      );
    },
    async sessions(): Promise<number> {
      return (await database.db.selectFrom("sessions").select("id").execute()).length;
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** Many at once, `lanes` at a time. */
export async function inLanes<T, R>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const [at, item] of rest) results[at] = await work(item);
    }),
  );
  return results;
}
