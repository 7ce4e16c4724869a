import { z } from "zod";
import { Refused } from "./refused.ts";
import { Name } from "./template.ts";
import type { Ownership } from "./template.ts";
import type { Upstream } from "./upstream.ts";

const ID = /^[0-9a-f]{64}$/;
const Labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((labels) => labels ?? {});
const ContainerFacts = z.looseObject({
  Id: z.string().regex(ID),
  Config: z.looseObject({ Labels }),
});
const VolumeFacts = z.looseObject({ Labels });

/** What a look-up found; `stranger`: it is there, and not this hub's. */
type Found = { whose: "own"; id: string; facts: object } | { whose: "nobody" | "stranger" };

/** Finds what bears the hub's label. */
export function createBelongings(upstream: Upstream) {
  async function look(path: string): Promise<unknown> {
    const { status, body } = await upstream.ask("GET", path);
    if (status === 404) return null;
    if (status !== 200) throw new Refused("the engine does not say whose it is", 503);
    return body;
  }

  async function container(version: string, ref: string, owner: Ownership): Promise<Found> {
    const body = await look(`${version}/containers/${ref}/json`);
    if (body === null) return { whose: "nobody" };
    const facts = ContainerFacts.parse(body);
    return bears(facts.Config.Labels, owner)
      ? { whose: "own", id: facts.Id, facts }
      : { whose: "stranger" };
  }

  async function volume(version: string, name: string, owner: Ownership): Promise<Found> {
    const body = await look(`${version}/volumes/${name}`);
    if (body === null) return { whose: "nobody" };
    const facts = VolumeFacts.parse(body);
    return bears(facts.Labels, owner) ? { whose: "own", id: name, facts } : { whose: "stranger" };
  }

  return { container, volume };
}
export type Belongings = ReturnType<typeof createBelongings>;

function bears(labels: Record<string, string>, owner: Ownership): boolean {
  return owner.labels.some(
    (label) => Object.hasOwn(labels, label) && labels[label] === owner.value,
  );
}

/** What the engine calls it, for the one thing that is done next: a name may be somebody else's a moment later. */
export function own(found: Found): string {
  if (found.whose === "own") return found.id;
  if (found.whose === "nobody") throw new Refused("there is no such thing", 404);
  throw new Refused("it is not this hub's");
}

/** That a name which the hub could use is taken by somebody else; of other names nothing is told. */
export function takenBy(kind: keyof typeof STRANGER, name: string): object {
  if (!Name.safeParse(name).success) throw new Refused("it is not this hub's");
  return { Name: name, ...STRANGER[kind] };
}

const STRANGER = {
  container: {
    Id: "0".repeat(64),
    Image: "",
    Config: { Labels: {}, User: "" },
    HostConfig: {},
    State: {
      Status: "exited",
      ExitCode: 0,
      StartedAt: "0001-01-01T00:00:00Z",
      FinishedAt: "0001-01-01T00:00:00Z",
    },
  },
  volume: { Labels: {} },
};
