import { z } from "zod";
import { checkArchive } from "./archive.ts";
import { own, takenBy } from "./belongings.ts";
import type { Belongings } from "./belongings.ts";
import { Refused } from "./refused.ts";
import type { Rule } from "./rules.ts";
import { queryOf } from "./target.ts";
import { containerBody, Name, volumeBody } from "./template.ts";
import type { Ownership, Template } from "./template.ts";
import type { Upstream } from "./upstream.ts";

/** One request that fits a rule. */
export interface Call {
  version: string;
  /** The part of the path that names something. */
  ref: string;
  query: Readonly<Record<string, string | undefined>>;
  body: Buffer;
  owner: Ownership;
}

/** What is asked of the engine in its place; or what is answered without asking it on. */
export type Deed =
  | { method: string; path: string; body?: { type: string; bytes: Buffer } }
  | { answer: unknown };

const Info = z.object({
  OSType: z.unknown(),
  ServerVersion: z.unknown(),
  MemoryLimit: z.unknown(),
  PidsLimit: z.unknown(),
  SecurityOptions: z.unknown(),
  CgroupVersion: z.unknown(),
});
const Volume = z.object({ Name: z.string(), UsageData: z.unknown().optional() });
const Volumes = z.object({
  Volumes: z
    .array(Volume)
    .nullish()
    .transform((list) => list ?? []),
});
const ImageUser = z.object({ Config: z.object({ User: z.string().nullish() }).nullish() });
const EVENTS_AHEAD_S = 60;

/** What becomes of each request. */
export function createVerbs(deps: {
  upstream: Upstream;
  belongings: Belongings;
  template: Template;
  /** Paths in a container that may be read, and names that may be written below its own volume. */
  readable: readonly string[];
  writable: readonly string[];
}): Record<Exclude<Rule, "attach">, (call: Call) => Promise<Deed>> {
  const { upstream, belongings, template } = deps;

  /** Of the hub's own container, by its id. */
  async function act(call: Call, method: string, verb: string): Promise<Deed> {
    const id = own(await belongings.container(call.version, call.ref, call.owner));
    return { method, path: `${call.version}/containers/${id}${verb}${queryOf(call.query)}` };
  }

  async function whole<Schema extends z.ZodType>(path: string, schema: Schema) {
    const { status, body } = await upstream.ask("GET", path);
    if (status !== 200) throw new Refused("the engine did not answer", 503);
    return schema.parse(body);
  }

  /** A user who is root, or in a group of the machine, could do more with what is mounted. */
  async function checkUser(version: string, image: string, user: string): Promise<void> {
    const { Config } = await whole(`${version}/images/${image}/json`, ImageUser);
    const ofImage = /^(root|0+)?(:|$)/.test(Config?.User ?? "") ? null : Config?.User;
    if (user !== ofImage && user !== "1000:1000") throw new Refused("the user is not the image's");
  }

  return {
    version: ({ version }) => forward("GET", `${version}/version`),
    info: async ({ version }) => ({ answer: await whole(`${version}/info`, Info) }),
    async sizes({ version, owner }) {
      const paths = owner.labels.map((label) =>
        listOf(version, "volumes", `${label}=${owner.value}`),
      );
      const lists = await Promise.all(paths.map((path) => whole(path, Volumes)));
      const names = new Set(lists.flatMap((list) => list.Volumes.map((one) => one.Name)));
      const all = await whole(`${version}/system/df`, Volumes);
      return { answer: { Volumes: all.Volumes.filter((one) => names.has(one.Name)) } };
    },
    async image({ version, ref }) {
      if (!template.images.includes(ref))
        throw new Refused("the image is not one of those that are allowed");
      return await forward("GET", `${version}/images/${ref}/json`);
    },
    async pull({ version, query }) {
      const { fromImage = "", tag } = query;
      const names = [fromImage, ...(tag === undefined ? [] : [`${fromImage}:${tag}`])];
      if (!names.some((name) => template.images.includes(name)))
        throw new Refused("the image is not one of those that are allowed");
      return await forward("POST", `${version}/images/create${queryOf(query)}`);
    },
    async events(call) {
      const filters = z.strictObject({
        container: z.tuple([z.string()]),
        event: z.tuple([z.literal("oom")]),
      });
      const asked = parse(filters, call.query["filters"] ?? "", "the filters");
      // It would wait for that moment.
      if (Number(call.query["until"]) > Date.now() / 1_000 + EVENTS_AHEAD_S)
        throw new Refused("the end of the events is far away");
      const id = own(await belongings.container(call.version, asked.container[0], call.owner));
      const query = { ...call.query, filters: JSON.stringify({ ...asked, container: [id] }) };
      return await forward("GET", `${call.version}/events${queryOf(query)}`);
    },
    containers: ({ version, query, owner }) => {
      const label = ownLabel(query["filters"] ?? "", owner);
      const all = query["all"] === undefined ? "" : "&all=true";
      return forward("GET", `${listOf(version, "containers/json", label)}${all}`);
    },
    async create({ version, query, body, owner }) {
      const name = Name.safeParse(query["name"]).data;
      if (name === undefined) throw new Refused("not a name of the hub's containers");
      const wanted = parse(
        containerBody(template, owner, name),
        body.toString("utf8"),
        "the container",
      );
      await checkUser(version, wanted.Image, wanted.User);
      // A volume that is there would be mounted whosesoever it is.
      own(await belongings.volume(version, name, owner));
      return json(`${version}/containers/create?name=${name}`, wanted);
    },
    async inspect({ version, ref, owner }) {
      const found = await belongings.container(version, ref, owner);
      if (found.whose === "stranger") return { answer: takenBy("container", ref) };
      own(found);
      return { answer: "facts" in found ? found.facts : null };
    },
    start: (call) => act(call, "POST", "/start"),
    kill: (call) => act(call, "POST", "/kill"),
    wait: (call) => act(call, "POST", "/wait"),
    logs: (call) => act(call, "GET", "/logs"),
    remove: (call) => act(call, "DELETE", ""),
    async read(call) {
      if (!deps.readable.includes(call.query["path"] ?? ""))
        throw new Refused("the path is not one that the hub reads");
      return await act(call, "GET", "/archive");
    },
    async write(call) {
      if (call.query["path"] !== template.own)
        throw new Refused("the path is not one that the hub writes to");
      checkArchive(call.body, deps.writable);
      return {
        ...(await act(call, "PUT", "/archive")),
        body: { type: "application/x-tar", bytes: call.body },
      };
    },
    volumes: ({ version, query, owner }) =>
      forward("GET", listOf(version, "volumes", ownLabel(query["filters"] ?? "", owner))),
    async createVolume({ version, body, owner }) {
      const wanted = parse(volumeBody(template, owner), body.toString("utf8"), "the volume");
      return await Promise.resolve(json(`${version}/volumes/create`, wanted));
    },
    async inspectVolume({ version, ref, owner }) {
      const found = await belongings.volume(version, ref, owner);
      if (found.whose === "stranger") return { answer: takenBy("volume", ref) };
      own(found);
      return { answer: "facts" in found ? found.facts : null };
    },
    async removeVolume({ version, ref, owner }) {
      const name = own(await belongings.volume(version, ref, owner));
      return await forward("DELETE", `${version}/volumes/${name}`);
    },
  };
}

function forward(method: string, path: string): Promise<Deed> {
  return Promise.resolve({ method, path });
}

/** What was parsed, written anew: the engine reads names without regard to case, and may read doubles otherwise. */
function json(path: string, value: unknown): Deed {
  return {
    method: "POST",
    path,
    body: { type: "application/json", bytes: Buffer.from(JSON.stringify(value)) },
  };
}

function listOf(version: string, what: string, label: string): string {
  return `${version}/${what}?filters=${encodeURIComponent(JSON.stringify({ label: [label] }))}`;
}

function ownLabel(filters: string, { labels, value }: Ownership): string {
  const allowed = labels.map((label) => `${label}=${value}`);
  const shape = z.strictObject({ label: z.tuple([z.enum(allowed)]) });
  return parse(shape, filters, "the filters").label[0];
}

function parse<Schema extends z.ZodType>(schema: Schema, text: string, what: string) {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Refused(`${what} cannot be read`, 400);
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.map(String).join(".") ?? "";
  const keys =
    issue?.code === "unrecognized_keys" ? ` (${issue.keys.join(", ").slice(0, 100)})` : "";
  throw new Refused(
    `${what} is not as the template has it${where === "" ? "" : ` at ${where.slice(0, 100)}`}${keys}`,
  );
}
