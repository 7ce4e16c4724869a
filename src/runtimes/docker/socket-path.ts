const SCHEME = "unix://";

/** @throws Error when the engine is not on this machine, where it could not see the gateway's socket. */
export function socketPathOf(engine: string): string {
  const path = engine.slice(SCHEME.length);
  if (engine.startsWith(SCHEME) && path.startsWith("/")) return path;
  throw new Error(
    `DOCKER_HOST is ${JSON.stringify(engine)}, but sandboxes need an engine on this machine, by a unix socket such as unix:///var/run/docker.sock`,
  );
}
