import { createHmac, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { z } from "zod";
import { openDatabase } from "../../../src/store/database.ts";
import type { GitHubHouse } from "./github-house.ts";
import { waitFor } from "../wait.ts";

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

type Path = readonly (string | number)[];

/** Fields so deep are missing from a delivery of their own; elsewhere several share one. */
const DEPTH = 2;
const SHARED = 8;

/**
 * Every field that a kind of delivery has anywhere: taken out or nulled, and of another type or huge. What is the same in
 * several examples is one field.
 */
export function misshapen(examples: readonly Example[]): Example[] {
  const seen = new Set<string>();
  let count = 0;
  return examples.flatMap(({ event, payload }) => {
    const fresh = pathsOf(payload).filter((path) => {
      const name = [event, ...path.map((key) => (typeof key === "number" ? "*" : key))].join(".");
      return seen.size < seen.add(name).size;
    });
    // The deepest first, so that each is still there.
    const all = fresh.toSorted((one, other) => other.length - one.length);
    const shallow = all.filter(({ length }) => length <= DEPTH).map((path) => [path]);
    const deep = inGroups(all.filter(({ length }) => length > DEPTH));
    const spoilt = (ways: readonly Way[]) => (paths: readonly Path[]) => {
      const copy = structuredClone(payload);
      setApart(copy, (count += 1));
      paths.forEach((path, at) => spoil(copy, path, ways[(count + at) % ways.length]));
      return { event, payload: copy };
    };
    return [
      ...[...shallow, ...deep].map(spoilt([removed, nulled])),
      ...inGroups(all).map(spoilt([otherThan, hugeOf])),
    ];
  });
}

function inGroups(paths: readonly Path[]): Path[][] {
  return Array.from({ length: Math.ceil(paths.length / SHARED) }, (_, at) =>
    paths.slice(at * SHARED, (at + 1) * SHARED),
  );
}

/** As if each were about another issue or commit: what is about one is worked off one after the other. */
function setApart(payload: Json, number: number): void {
  const sha = number.toString(16).padStart(40, "0");
  const { issue, pull_request: pull, check_suite: suite, check_run: run } = payload;
  for (const one of [issue, pull]) if (isObject(one)) Reflect.set(one, "number", number);
  for (const one of [suite, run, payload["workflow_run"]])
    if (isObject(one)) Reflect.set(one, "head_sha", sha);
  if (payload["sha"] !== undefined) payload["sha"] = sha;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function pathsOf(value: unknown, above: Path = []): Path[] {
  if (!isObject(value)) return [];
  const keys: Path = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((key) => {
    const path = [...above, key];
    return [path, ...pathsOf(Reflect.get(value, key), path)];
  });
}

/** What becomes of a value; undefined: it is gone. */
type Way = (value: unknown) => unknown;

function spoil(payload: Json, path: Path, way: Way = removed): void {
  const key = path.at(-1) ?? "";
  const holder = path.slice(0, -1).reduce<unknown>(inside, payload);
  if (!isObject(holder)) return;
  const value = way(inside(holder, key));
  if (value === undefined) Reflect.deleteProperty(holder, key);
  else Reflect.set(holder, key, value);
}

const removed: Way = () => undefined;
const nulled: Way = () => null;

function inside(value: unknown, key: string | number): unknown {
  return isObject(value) ? Reflect.get(value, key) : undefined;
}

function otherThan(value: unknown): unknown {
  return Array.isArray(value) ? { length: -1 } : [{ id: "\u0000" }];
}

function hugeOf(value: unknown): unknown {
  if (typeof value === "number") return Number.MAX_VALUE;
  if (Array.isArray(value)) return Array.from({ length: 50 }, (_, at) => value[0] ?? at);
  if (isObject(value))
    return { ...value, ...Object.fromEntries(Array.from({ length: 200 }, (_, at) => [at, at])) };
  return "x\n".repeat(8_000);
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
        { timeoutMs: 400_000, intervalMs: 100, what: "deliveries to be worked off" },
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
