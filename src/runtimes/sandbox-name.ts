const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

export function isSandboxName(name: string): boolean {
  return NAME.test(name);
}

/** Names become paths and parts of requests. */
export function checkSandboxName(name: string): string {
  if (!NAME.test(name)) throw new Error(`not a name of a sandbox: ${JSON.stringify(name)}`);
  return name;
}
