import { chmod, mkdir } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { SandboxLimits } from "../runtime.ts";
import { packArchive } from "./archive.ts";
import { containerOptions, INSIDE, userFor } from "./confinement.ts";
import type { Container, Image } from "./engine.ts";
import { isStatus } from "./failure.ts";
import type { Parts } from "./parts.ts";

const DIRS = { "workspace/": null, "home/": null, "spool/": null };
const ATTEMPTS = 200;
const PAUSE_MS = 50;

/** Tells what is ours from what is somebody else's on the same engine. */
export interface Owner {
  label: string;
  value: string;
}

/** What is to be made: a container and a volume, both of that name. */
export interface Wanted {
  name: string;
  image: Image;
  imageName: string;
  owner: Owner;
  command: string[];
  limits: SandboxLimits;
  labels: Record<string, string>;
  marks: Record<string, string>;
}

/** Null: there is none, or it is somebody else's. */
export async function findContainer(
  { engine }: Parts,
  name: string,
  owner: Owner,
): Promise<Container | null> {
  const container = await engine.container(name);
  return container?.labels[owner.label] === owner.value ? container : null;
}

/** Another hub of the same name may do so at the same time; both get the one container. */
export async function makeContainer(parts: Parts, wanted: Wanted): Promise<Container> {
  const { host, engine } = parts;
  const { name, owner } = wanted;
  const labels = { ...wanted.labels, [owner.label]: owner.value };
  await makeVolume(parts, name, owner, labels);
  // The directory holds the socket only, and the one above keeps others on the machine out.
  await mkdir(host.gatewayDir, { recursive: true });
  await chmod(host.gatewayDir, 0o755);
  const user = userFor(wanted.image.user);
  const options = containerOptions(host, wanted.limits, { ...wanted, user, labels, volume: name });
  return await until(`make the container ${name}`, async () => {
    await engine.create(name, options);
    const made = await engine.container(name);
    if (made === null)
      // The name is taken and nobody has it: a container is just being made, or just being removed.
      return undefined;
    if (made.labels[owner.label] !== owner.value) throw taken("container", name);
    return made;
  });
}

async function makeVolume(
  { engine, disk }: Parts,
  name: string,
  owner: Owner,
  labels: Record<string, string>,
): Promise<void> {
  if ((await engine.volume(name)) === null)
    try {
      await disk.makeVolume(name, labels);
    } catch (error) {
      // Somebody was faster; whose it is now is looked at below.
      if ((await engine.volume(name)) === null) throw error;
    }
  if ((await engine.volume(name))?.[owner.label] !== owner.value) throw taken("volume", name);
}

/** Gives a container its directories, and files in them, which belong to its user. */
export async function putBelongings(
  { engine, accountOf }: Parts,
  container: Container,
  files: Record<string, string> = {},
): Promise<void> {
  const archive = packArchive({ ...DIRS, ...files }, await accountOf(container));
  await engine.putArchive(container.id, INSIDE.own, archive);
}

/** Resolves when neither container nor volume is left; what runs is killed. */
export async function removeAll(parts: Parts, name: string, owner: Owner): Promise<void> {
  const { engine } = parts;
  await until(`remove the container ${name}`, async () => {
    const container = await findContainer(parts, name, owner);
    if (container !== null) await engine.removeContainer(container.id);
    return container === null || undefined;
  });
  // Last, so that a sandbox is listed until nothing of it is left.
  await until(`remove the volume ${name}`, async () => {
    if ((await engine.volume(name))?.[owner.label] !== owner.value) return true;
    await engine.removeVolume(name).catch((error: unknown) => {
      // The engine has not quite let go of the container.
      if (!isStatus(error, 409)) throw error;
    });
    return undefined;
  });
}

/** Tries again at once, and then after pauses. */
async function until<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  for (let count = 1; count <= ATTEMPTS; count += 1) {
    const answer = await attempt();
    if (answer !== undefined) return answer;
    if (count > 1) await pause(PAUSE_MS);
  }
  throw new Error(`the container engine does not ${what}`);
}

function taken(what: string, name: string): Error {
  return new Error(
    `the name ${name} is taken by a ${what} that is not this hub's: remove or rename it`,
  );
}
