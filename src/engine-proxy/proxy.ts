import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { createBelongings, own } from "./belongings.ts";
import { join } from "./join.ts";
import { Refused } from "./refused.ts";
import { RULES } from "./rules.ts";
import type { Rule } from "./rules.ts";
import { parseTarget, queryOf } from "./target.ts";
import type { Ownership, Template } from "./template.ts";
import { createUpstream, readAll } from "./upstream.ts";
import { createVerbs } from "./verbs.ts";

const BODY_BYTES = 131_072;
const CONNECTIONS = 512;
const HEADER_MS = 10_000;
const REQUEST_MS = 60_000;
const NAMES: string[] = Object.keys(RULES);

/**
 * Stands between the hub and a container engine: lets pass what the hub needs, and nothing by which a hub that has been
 * taken over would be root on the machine.
 */
export async function startEngineProxy(options: {
  listen: string;
  /** Mode of that socket: who may connect is decided by its directory, too. */
  mode: number;
  engine: string;
  template: Template;
  readable: readonly string[];
  writable: readonly string[];
  /** Whose things may be touched; asked for at each request. */
  owner(): Promise<Ownership>;
  log: Logger;
}): Promise<AsyncDisposable> {
  const { log } = options;
  const upstream = createUpstream(options.engine);
  const belongings = createBelongings(upstream);
  const verbs = createVerbs({ ...options, upstream, belongings });
  const joined = new Set<Duplex>();

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { name, ...asked } = fit(req);
    if (name === "attach") throw new Refused("an attach is an upgrade");
    const body = await readAll(req, BODY_BYTES);
    const deed = await verbs[name]({ ...asked, body, owner: await options.owner() });
    if ("answer" in deed) {
      say(res, 200, deed.answer);
      return;
    }
    const gone = new AbortController();
    res.once("close", () => gone.abort());
    const answer = await upstream.open({ ...deed, signal: gone.signal });
    const type = answer.headers["content-type"];
    res.writeHead(answer.statusCode ?? 502, type === undefined ? {} : { "content-type": type });
    await pipeline(answer, res);
  }

  async function upgrade(req: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const { name, version, ref, query } = fit(req);
    if (name !== "attach") throw new Refused("only an attach is an upgrade");
    // A body would be the first bytes of the standard input for one reader, and not for the next.
    if (
      (req.headers["content-length"] ?? "0") !== "0" ||
      req.headers["transfer-encoding"] !== undefined
    )
      throw new Refused("an attach has no body", 400);
    const id = own(await belongings.container(version, ref, await options.owner()));
    const answer = await upstream.upgrade(`${version}/containers/${id}/attach${queryOf(query)}`);
    if (!("head" in answer)) {
      const said = await readAll(answer, BODY_BYTES);
      client.end(rawAnswer(answer.statusCode ?? 502, said));
      return;
    }
    client.write(
      "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
    );
    join({ socket: client, head }, answer);
  }

  const server = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => {
      if (res.destroyed) return;
      const { status, message } = refusal(req, error, log);
      if (res.headersSent) {
        res.destroy();
        return;
      }
      // What is left of a body that nobody reads is not the next request.
      res.shouldKeepAlive = false;
      say(res, status, { message });
      req.resume();
    });
  });
  server.maxConnections = CONNECTIONS;
  server.headersTimeout = HEADER_MS;
  server.requestTimeout = REQUEST_MS;
  server.on("upgrade", (req, client, head) => {
    joined.add(client);
    client.once("close", () => joined.delete(client));
    client.on("error", (error) => log.debug({ err: error }, "attached connection failed"));
    upgrade(req, client, head).catch((error: unknown) => {
      const { status, message } = refusal(req, error, log);
      if (!client.destroyed)
        client.end(rawAnswer(status, Buffer.from(JSON.stringify({ message }))));
      client.resume();
    });
  });
  await rm(options.listen, { force: true });
  server.listen(options.listen);
  await once(server, "listening");
  await chmod(options.listen, options.mode);
  log.info({ socket: options.listen }, "the engine's proxy listens");

  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      for (const client of joined) client.destroy();
      await closed;
    },
  };
}

/** The rule that a request fits. */
function fit(req: IncomingMessage) {
  const target = parseTarget(req.url ?? "");
  for (const name of NAMES.filter(isRule)) {
    const rule = RULES[name];
    const found = rule.method === req.method ? rule.path.exec(target.path) : null;
    if (found === null) continue;
    const query = rule.query.safeParse({ ...target.query });
    if (!query.success) throw new Refused("the parameters are not those that the hub sends");
    return { name, version: target.version, ref: found[1] ?? "", query: query.data };
  }
  throw new Refused("the hub has no such request to make");
}

function refusal(req: IncomingMessage, error: unknown, log: Logger): Refused {
  const facts = { method: req.method, path: req.url?.slice(0, 200) };
  if (error instanceof Refused) {
    if (error.status !== 404) log.warn({ ...facts, reason: error.message }, "request refused");
    return error;
  }
  log.warn({ ...facts, err: error }, "request failed");
  return new Refused("the container engine could not be asked", 503);
}

function isRule(name: string): name is Rule {
  return name in RULES;
}

function say(res: ServerResponse, status: number, value: unknown): void {
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function rawAnswer(status: number, body: Buffer): Buffer {
  const head = `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
