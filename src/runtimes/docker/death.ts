import type { DiskLimit } from "./disk.ts";
import type { Container, Engine } from "./engine.ts";
import type { Outages } from "./outages.ts";

const TAIL_LINES = 200;
const TAIL_CHARS = 16_384;
/** 128 and the signal, as shells count. */
const KILLED = 137;
const TERMINATED = 143;
/** What engines put down for a container whose end they did not see. */
const UNSEEN = 255;
const MEGABYTE = 1_048_576;

/** What a container printed last, and of what it died unless it ended by itself. */
export async function lastWordsOf(
  name: string,
  container: Container | null,
  deps: { engine: Engine; disk: DiskLimit; outages: Outages },
): Promise<string> {
  if (container === null) return "its container is gone: it was removed, and not by the hub";
  const said = tailOf(await deps.engine.lines(container.id, TAIL_LINES));
  return [said, await causeOf(name, container, deps)].filter((text) => text !== "").join("\n");
}

async function causeOf(
  name: string,
  container: Container,
  { engine, disk, outages }: { engine: Engine; disk: DiskLimit; outages: Outages },
): Promise<string> {
  if (container.outOfMemory || (await engine.ranOutOfMemory(container.id)))
    return `out of memory (limit ${megabytes(container.memoryBytes)} MB)`;
  if (container.state === "running") return "";
  if (container.error !== "") return `the container engine could not run it: ${container.error}`;
  const { exitCode } = container;
  if (![KILLED, TERMINATED, UNSEEN].includes(exitCode)) return "";
  if (outages.explains(Date.parse(container.finishedAt)))
    return "the container engine was restarted, which ended the container";
  const excess = exitCode === KILLED ? await disk.excess(name) : 0;
  if (excess > 0) return `over its disk limit (by ${megabytes(excess)} MB)`;
  return exitCode === UNSEEN
    ? "the container engine lost sight of the container, which it does when it is restarted"
    : `the container was ended from outside (signal ${exitCode - 128}), and not by the hub: somebody stopped it, or the container engine was restarted`;
}

function tailOf(log: string): string {
  const text = log.trim();
  if (text.length <= TAIL_CHARS) return text;
  const tail = text.slice(-TAIL_CHARS);
  return tail.slice(tail.indexOf("\n") + 1);
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / MEGABYTE);
}
