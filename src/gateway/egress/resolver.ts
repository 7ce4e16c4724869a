import { Resolver } from "node:dns/promises";

/** The addresses of a name, in the order in which to try them; rejects when there are none. */
export type Lookup = (name: string) => Promise<string[]>;

const TRIES = 2;

/**
 * Asks DNS servers, and neither the machine's hosts file nor its search domains. It does so without the thread pool of
 * the system's resolver, which a few slow names could fill.
 *
 * @param servers None: the machine's own.
 */
export function createLookup(servers: readonly string[], timeoutMs: number): Lookup {
  const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / TRIES / 2), tries: TRIES });
  if (servers.length > 0) resolver.setServers(servers);
  return async (name) => {
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    const [first] = answers;
    if (found.length === 0)
      throw new Error(`${name} has no address`, {
        cause: first.status === "rejected" ? first.reason : undefined,
      });
    return found;
  };
}
