import type { Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import type Docker from "dockerode";
import { z } from "zod";
import { attachInput } from "./attach.ts";
import { EngineError, engineError, isStatus } from "./failure.ts";
import { unframe } from "./log-frames.ts";
import { pullImage } from "./pull.ts";
import type { OnProgress } from "./pull.ts";

/** Nothing that is asked of an engine takes so long but a wait, and that is not waited for longer either. */
const TIMEOUT_MS = 60_000;

export interface Container {
  id: string;
  imageId: string;
  user: string;
  labels: Record<string, string>;
  state: "created" | "running" | "exited";
  exitCode: number;
  outOfMemory: boolean;
  /** What the engine says of a failed start. */
  error: string;
  startedAt: string;
  finishedAt: string;
  memoryBytes: number;
}

export interface Image {
  id: string;
  user: string;
}

/** What the hub asks of a container engine, in the words of the Engine API; errors are `EngineError`s. */
export interface Engine {
  info(): Promise<z.infer<typeof Info>>;
  /** Null: there is no such image. */
  image(name: string): Promise<Image | null>;
  /** Fetches an image from its registry. */
  pull(name: string, onProgress: OnProgress): Promise<void>;
  container(name: string): Promise<Container | null>;
  /** Unless there is one of that name. */
  create(name: string, options: Docker.ContainerCreateOptions): Promise<void>;
  /** Writes to the container's standard input and starts it; what runs already takes no harm. */
  feedAndStart(id: string, line: string): Promise<void>;
  /** Resolves when nothing runs in it any more. */
  kill(id: string): Promise<void>;
  /** Resolves with the exit code. */
  exit(id: string): Promise<number>;
  removeContainer(id: string): Promise<void>;
  lines(id: string, count: number): Promise<string>;
  /** Whether the kernel has killed something in it for want of memory, as far as the engine remembers. */
  ranOutOfMemory(id: string): Promise<boolean>;
  putArchive(id: string, path: string, archive: Buffer): Promise<void>;
  /** Null: nothing is there. */
  getArchive(id: string, path: string): Promise<Buffer | null>;
  createVolume(name: string, labels: Record<string, string>, sizeBytes?: number): Promise<void>;
  /** Labels of the volume; null: there is none. */
  volume(name: string): Promise<Record<string, string> | null>;
  removeVolume(name: string): Promise<void>;
  /** Names and states of containers with that label. */
  containers(label: string): Promise<{ name: string; running: boolean }[]>;
  volumes(label: string): Promise<string[]>;
  /** Bytes in each volume; takes the engine a walk over all its volumes. */
  volumeSizes(): Promise<Map<string, number>>;
}

/** Speaks to the engine on a unix socket. */
export async function connectEngine(
  socketPath: string,
  watch: { answered(): void; away(): void },
): Promise<Engine> {
  // Loaded here, because it is large and a hub with another runtime never needs it.
  const { default: Dockerode } = await import("dockerode");
  // Without a host of ours it would take one from the environment.
  const docker = new Dockerode({ socketPath, host: "", protocol: "http", timeout: TIMEOUT_MS });

  async function ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      const answer = await work();
      watch.answered();
      return answer;
    } catch (error) {
      const failure = engineError(error, socketPath);
      if (failure.away) watch.away();
      throw failure;
    }
  }

  async function unlessStatus<T, Other>(
    statuses: number[],
    other: Other,
    work: () => Promise<T>,
  ): Promise<T | Other> {
    try {
      return await ask(work);
    } catch (error) {
      if (isStatus(error, ...statuses)) return other;
      throw error;
    }
  }

  const at = (id: string) => docker.getContainer(id);
  const container = (name: string) =>
    unlessStatus([404], null, async () => containerOf(Facts.parse(await at(name).inspect())));
  const { Components } = Version.parse(await ask(() => docker.version()));
  const isPodman = Components.some(({ Name }) => Name.startsWith("Podman"));

  return {
    info: () => ask(async () => Info.parse(await docker.info())),
    image: (name) =>
      unlessStatus([404], null, async () => {
        const { Id, Config } = ImageFacts.parse(await docker.getImage(name).inspect());
        return { id: Id, user: Config?.User ?? "" };
      }),
    pull: (name, onProgress) => ask(() => pullImage(docker, name, onProgress)),
    container,
    async create(name, options) {
      if (isPodman && options.HostConfig?.Runtime !== undefined)
        throw new Error(
          "Podman passes over CLAUDE_CONTAINER_RUNTIME: set the OCI runtime in its containers.conf",
        );
      try {
        await ask(() => docker.createContainer(apart(options, { name })));
      } catch (error) {
        // Docker says 409, Podman 500.
        const isTaken = error instanceof EngineError && /already in use/i.test(error.message);
        if (!isTaken) throw error;
      }
    },
    feedAndStart: (id, line) =>
      ask(async () => {
        const input = await attachInput(socketPath, id, { timeoutMs: TIMEOUT_MS, isPodman });
        await feedAndStart(input, at(id), line);
      }),
    async kill(id) {
      try {
        await ask(() => at(id).kill({ signal: "SIGKILL" }));
      } catch (error) {
        // Engines differ in how they say that nothing runs there, so it is asked for.
        if ((await container(id))?.state === "running") throw error;
      }
      await unlessStatus([404], null, () => at(id).wait({ condition: "not-running" }));
    },
    exit: (id) =>
      ask(async () => Exit.parse(await at(id).wait({ condition: "not-running" })).StatusCode),
    async removeContainer(id) {
      // 409: it is being removed already; who needs to know that it is gone asks for it.
      await unlessStatus([404, 409], null, () => at(id).remove({ force: true, v: true }));
    },
    lines: (id, tail) =>
      unlessStatus([404], "", async () =>
        unframe(Bytes.parse(await at(id).logs({ stdout: true, stderr: true, tail }))),
      ),
    async ranOutOfMemory(id) {
      // Podman has no such events; it tells when the container has ended.
      if (isPodman) return false;
      return await ask(async () => {
        const filters = { container: [id], event: ["oom"] };
        const until = Math.ceil(Date.now() / 1_000);
        // From the beginning of what the engine remembers, up to now: then the stream ends by itself.
        return (await text(await docker.getEvents({ since: 1, until, filters }))).trim() !== "";
      });
    },
    async putArchive(id, path, archive) {
      await ask(() => at(id).putArchive(archive, { path }));
    },
    getArchive: (id, path) =>
      unlessStatus([404], null, async () => await buffer(await at(id).getArchive({ path }))),
    async createVolume(name, labels, sizeBytes) {
      const size = String(sizeBytes);
      const DriverOpts = isPodman ? { o: `size=${size}` } : { size };
      const sized = sizeBytes === undefined ? {} : { DriverOpts };
      await ask(() => docker.createVolume(apart({ Name: name, Labels: labels, ...sized })));
    },
    volume: (name) =>
      unlessStatus(
        [404],
        null,
        async () => VolumeFacts.parse(await docker.getVolume(name).inspect()).Labels ?? {},
      ),
    async removeVolume(name) {
      await unlessStatus([404], null, () => docker.getVolume(name).remove());
    },
    containers: (label) =>
      ask(async () =>
        Listed.parse(await docker.listContainers({ all: true, filters: { label: [label] } })).map(
          ({ Names, State }) => ({
            name: (Names[0] ?? "").replace(/^\//, ""),
            running: stateOf(State) === "running",
          }),
        ),
      ),
    volumes: (label) =>
      ask(async () =>
        Volumes.parse(await docker.listVolumes({ filters: { label: [label] } })).Volumes.map(
          ({ Name }) => Name,
        ),
      ),
    volumeSizes: () =>
      ask(async () => {
        const { Volumes: found } = Volumes.parse(await docker.df());
        return new Map(found.map(({ Name, UsageData }) => [Name, UsageData?.Size ?? 0]));
      }),
  };
}

/**
 * The line is written before the start, so that no runner waits for one that never comes: what the hub had written when
 * it was killed is with the engine already.
 */
async function feedAndStart(
  input: Socket,
  container: Docker.Container,
  line: string,
): Promise<void> {
  // A container that ends before it has read everything says why in its log.
  input.on("error", () => undefined);
  input.resume();
  // It must not keep the hub from ending.
  input.unref();
  try {
    input.write(line);
    await container.start().catch((error: unknown) => {
      if (!isAlreadyStarted(error)) throw error;
    });
  } finally {
    input.end();
  }
}

/** The library would repeat the whole body in the address. */
function apart<Body extends object>(body: Body, query: Record<string, string> = {}) {
  return { ...body, _query: query, _body: body };
}

function isAlreadyStarted(error: unknown): boolean {
  return error instanceof Error && "statusCode" in error && error.statusCode === 304;
}

const RUNNING = ["running", "paused", "restarting"];

function stateOf(status: string): Container["state"] {
  // Podman's words for what has never run are `configured` and `initialized`.
  if (["created", "configured", "initialized"].includes(status)) return "created";
  return RUNNING.includes(status) ? "running" : "exited";
}

function containerOf({ Id, Image, Config, State, HostConfig }: z.infer<typeof Facts>): Container {
  return {
    id: Id,
    imageId: Image,
    user: Config.User,
    labels: Config.Labels ?? {},
    state: stateOf(State.Status),
    exitCode: State.ExitCode,
    outOfMemory: State.OOMKilled,
    error: State.Error ?? "",
    startedAt: State.StartedAt,
    finishedAt: State.FinishedAt,
    memoryBytes: HostConfig.Memory,
  };
}

const Labels = z.record(z.string(), z.string()).nullish();
const Bytes = z.instanceof(Buffer);
const Exit = z.object({ StatusCode: z.number() });
const Version = z.object({ Components: z.array(z.object({ Name: z.string() })).default([]) });
const Info = z.object({
  OSType: z.string().default("linux"),
  ServerVersion: z.string().default(""),
  MemoryLimit: z.boolean().default(false),
  PidsLimit: z.boolean().default(false),
});
const ImageFacts = z.object({
  Id: z.string(),
  Config: z.object({ User: z.string().nullish() }).nullish(),
});
const Facts = z.object({
  Id: z.string(),
  Image: z.string(),
  Config: z.object({ Labels, User: z.string().default("") }),
  HostConfig: z.object({ Memory: z.number().default(0) }),
  State: z.object({
    Status: z.string(),
    ExitCode: z.number(),
    OOMKilled: z.boolean().default(false),
    Error: z.string().nullish(),
    StartedAt: z.string(),
    FinishedAt: z.string(),
  }),
});
const VolumeFacts = z.object({ Labels });
const Listed = z.array(z.object({ Names: z.array(z.string()), State: z.string() }));
const Volumes = z.object({
  Volumes: z
    .array(z.object({ Name: z.string(), UsageData: z.object({ Size: z.number() }).nullish() }))
    .nullish()
    .transform((list) => list ?? []),
});
