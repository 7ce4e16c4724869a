/** What the engine, or the way to it, did not do; the message is one sentence for the operator. */
export class EngineError extends Error {
  override name = "EngineError";
  /** HTTP status of the engine's answer; null: there was no answer. */
  readonly status: number | null;
  /** Nobody answered: the engine is away or has gone away meanwhile. */
  readonly away: boolean;

  constructor(
    message: string,
    { status, away, cause }: { status: number | null; away: boolean; cause: unknown },
  ) {
    super(message, { cause });
    this.status = status;
    this.away = away;
  }
}

export function isStatus(error: unknown, ...statuses: number[]): boolean {
  return error instanceof EngineError && statuses.includes(error.status ?? 0);
}

/** Says what is wrong in the operator's words; what the engine itself says stays in it where it helps. */
export function engineError(error: unknown, socketPath: string): EngineError {
  const code = field(error, "code");
  const status = field(error, "statusCode");
  if (typeof status !== "number") return unreachable(error, code, socketPath);
  const said = wordsOf(error);
  return new EngineError(sentenceFor(said), { status, away: false, cause: error });
}

function unreachable(error: unknown, code: unknown, socketPath: string): EngineError {
  const because = (message: string, away: boolean) =>
    new EngineError(message, { status: null, away, cause: error });
  switch (code) {
    case "ENOENT":
    case "ECONNREFUSED":
      return because(
        `no container engine listens on ${socketPath}: start it, or name another socket with DOCKER_HOST`,
        true,
      );
    case "EACCES":
    case "EPERM":
      return because(
        `the hub has no permission to use the container engine's socket ${socketPath}: make its user a member of the socket's group (usually "docker"), or use rootless Podman`,
        false,
      );
    case "ECONNRESET":
    case "EPIPE":
      return because(
        `the container engine on ${socketPath} cut the connection: it was stopped, restarted, or took too long`,
        true,
      );
    default:
      return because(
        `the container engine on ${socketPath} could not be asked: ${messageOf(error)}`,
        false,
      );
  }
}

function sentenceFor(said: string): string {
  if (/no space left on device|disk quota exceeded/i.test(said))
    return `the disk of the container engine is full (${said})`;
  const image = /no such image: (\S+)/i.exec(said)?.[1];
  if (image !== undefined) return imageMissing(image);
  if (/unknown or invalid runtime name|invalid runtime name|unknown runtime specified/i.test(said))
    return `the container engine does not know the OCI runtime that CLAUDE_CONTAINER_RUNTIME names (${said})`;
  return `the container engine refused: ${said}`;
}

export function imageMissing(image: string): string {
  return `the image ${image} is not there: build it (npm run image), pull it, or name another one with CLAUDE_CONTAINER_IMAGE`;
}

/** The engine's own words, without what the client library puts around them. */
function wordsOf(error: unknown): string {
  const answer = field(error, "json");
  const said = field(answer, "message") ?? field(answer, "cause");
  const text = typeof said === "string" && said !== "" ? said : messageOf(error);
  return text
    .replace(/^\(HTTP code \d+\) .*? - /, "")
    .trim()
    .slice(0, 500);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && name in value
    ? Reflect.get(value, name)
    : undefined;
}
