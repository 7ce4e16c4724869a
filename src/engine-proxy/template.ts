import { z } from "zod";

/** All that may be made: what is not in it is refused. The operator's configuration, never the hub's word. */
export interface Template {
  images: readonly string[];
  /** Of the engine's machine, each read-only at its place inside. */
  mounts: readonly { source: string; target: string }[];
  /** Where a container's own volume is. */
  own: string;
  memoryBytes: number;
  processes: number;
  cpuShares: number;
  diskBytes: number;
  ociRuntime: string | null;
}

/** The labels by which the hub's things are known, and the hub's name in them. */
export interface Ownership {
  labels: readonly string[];
  value: string;
}

const SESSION = "claude-hub.session";
const NAME = /^claude-(session|hub-probe)-[a-z0-9-]{1,48}$/;
export const Name = z.string().regex(NAME);
const TMPFS = z
  .string()
  .regex(/^rw,exec,nosuid,nodev,mode=1777,size=\d{1,15}$/)
  .refine((options) => !options.includes("\n"));
const Word = z.string().max(65_536);

function labels({ labels: names, value }: Ownership) {
  const owners = Object.fromEntries(names.map((name) => [name, z.literal(value).optional()]));
  return z
    .strictObject({ ...owners, [SESSION]: z.string().max(64).optional() })
    .refine((given: object) => names.some((name) => Object.hasOwn(given, name)), "no owner");
}

/** The body of a request that makes the container of that name, which is its volume's name as well. */
export function containerBody(template: Template, owner: Ownership, name: string) {
  return z.strictObject({
    Image: z.enum(template.images),
    // Whether it is the image's user is looked at there.
    User: z.string().regex(/^[a-z0-9_][a-z0-9_-]{0,31}(:[a-z0-9_][a-z0-9_-]{0,31})?$/),
    Entrypoint: z.array(Word).min(1).max(4),
    Cmd: z.array(Word).max(32),
    WorkingDir: z.literal(template.own),
    Env: z.array(Word).max(32),
    Labels: labels(owner),
    OpenStdin: z.literal(true),
    StdinOnce: z.literal(true),
    AttachStdin: z.literal(true),
    AttachStdout: z.literal(false),
    AttachStderr: z.literal(false),
    Tty: z.literal(false),
    NetworkDisabled: z.literal(true),
    HostConfig: hostConfig(template, name),
  });
}

function hostConfig(template: Template, name: string) {
  return z
    .strictObject({
      NetworkMode: z.literal("none"),
      IpcMode: z.literal("private"),
      CapDrop: z.tuple([z.literal("ALL")]),
      Privileged: z.literal(false),
      // One that names no seccomp profile gets the engine's.
      SecurityOpt: z.tuple([z.literal("no-new-privileges")]),
      ReadonlyRootfs: z.literal(true),
      Init: z.literal(true),
      RestartPolicy: z.strictObject({ Name: z.literal("no") }),
      LogConfig: z.strictObject({
        Type: z.literal("json-file"),
        Config: z.strictObject({ "max-size": z.literal("512k"), "max-file": z.literal("2") }),
      }),
      Memory: z.int().positive().max(template.memoryBytes),
      MemorySwap: z.int().positive(),
      CpuShares: z.int().positive().max(template.cpuShares),
      PidsLimit: z.int().positive().max(template.processes),
      ...(template.ociRuntime === null ? {} : { Runtime: z.literal(template.ociRuntime) }),
      Tmpfs: z.strictObject({ "/tmp": TMPFS, "/var/tmp": TMPFS }),
      Mounts: z.array(z.union([ownVolume(template, name), ...declared(template)])).max(16),
    })
    .refine(({ Memory, MemorySwap }) => Memory === MemorySwap, "swap beyond the memory");
}

function declared({ mounts }: Template) {
  return mounts.map(({ source, target }) =>
    z.strictObject({
      Type: z.literal("bind"),
      Source: z.literal(source),
      Target: z.literal(target),
      ReadOnly: z.literal(true),
    }),
  );
}

/** The options are those of a volume that is not there yet; none may lead to a directory of the machine. */
function ownVolume({ own }: Template, name: string) {
  return z.strictObject({
    Type: z.literal("volume"),
    Source: z.literal(name),
    Target: z.literal(own),
    VolumeOptions: z.strictObject({
      NoCopy: z.literal(true),
      Labels: z.strictObject({}),
      DriverConfig: z.strictObject({ Name: z.literal(""), Options: z.strictObject({}) }),
    }),
  });
}

export function volumeBody(template: Template, owner: Ownership) {
  const fits = (text: string) => Number(text.replace("size=", "")) <= template.diskBytes;
  return z.strictObject({
    Name,
    Labels: labels(owner),
    // Docker's and Podman's way to say a size; `type` and `device` would mount anything.
    DriverOpts: z
      .union([
        z.strictObject({
          size: z
            .string()
            .regex(/^\d{1,15}$/)
            .refine(fits),
        }),
        z.strictObject({
          o: z
            .string()
            .regex(/^size=\d{1,15}$/)
            .refine(fits),
        }),
      ])
      .optional(),
  });
}
