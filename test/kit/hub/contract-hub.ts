import { sessionInsert } from "./session-insert.ts";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { sign } from "@octokit/webhooks-methods";
import { z } from "zod";
import { openDatabase } from "../../../src/store/database.ts";
import { createSessionStore } from "../../../src/store/sessions/sessions.ts";
import { readContract } from "./contract.ts";
import type { Contract } from "./contract.ts";
import { createTestDatabase } from "./database.ts";
import { createGitForge } from "../forge/git-forge.ts";
import { startHub } from "./hub.ts";
import type { TestHub } from "./hub.ts";
import { standInNoopPath } from "../agent/stand-in.ts";

export const GITHUB_SECRET = "github-secret-of-the-tests";
const FORGE_TOKEN = "token-of-the-forge";

const Answer = z.record(z.string(), z.unknown());
const Success = z.strictObject({
  success: z.literal(true),
  message: z.string().min(1),
  data: Answer,
});
export const Failure = z.strictObject({ success: z.literal(false), error: z.string().min(1) });
const WithSession = z.object({ session: z.looseObject({ id: z.uuid(), status: z.string() }) });

export const CLAUDE = "post /api/webhooks/{provider}";
const GITHUB = "post /api/webhooks/github";

interface Answered {
  status: number;
  body: Record<string, unknown>;
  headers: Headers;
}
interface Accepted {
  message: string;
  data: Record<string, unknown>;
}

/** A running hub with which every exchange is held against the contract's file; what does not fit throws. */
export interface ContractHub extends AsyncDisposable {
  hub: TestHub;
  contract: Contract;
  /** Operations with the statuses that were met. */
  met: Set<string>;
  call(operation: string, path: string, init?: RequestInit): Promise<Answered>;
  /** Text is sent as it is. */
  claude(body: unknown, init?: RequestInit): Promise<Answered>;
  /** A request that must be accepted. */
  accepted(body: unknown): Promise<Accepted>;
  acceptedSession(
    body: unknown,
  ): Promise<Accepted & { session: z.infer<typeof WithSession>["session"] }>;
  /** Fits the file's Session, and has every property that the file names. */
  checkSession(session: unknown): void;
  /** A signed delivery; headers that are undefined are left out. */
  github(
    event: string,
    body: string,
    headers?: Record<string, string | undefined>,
  ): Promise<Answered>;
  /** The same where the file has no such status: only the form of the answer is checked. */
  githubStatus(event: string, body: string, headers?: Record<string, string>): Promise<number>;
}

export async function startContractHub(databaseServer: string): Promise<ContractHub> {
  await using opened = new AsyncDisposableStack();
  const contract = await readContract();
  const database = opened.use(await createTestDatabase(databaseServer));
  await insertDocumentedSessions(database.url);
  const forge = opened.use(await createGitForge({ token: FORGE_TOKEN }));
  await forge.repository("acme/webapp", "greeter");
  const hub = opened.use(
    await startHub({
      databaseUrl: database.url,
      agentPath: standInNoopPath,
      forge: { url: forge.url, token: FORGE_TOKEN },
      env: { GITHUB_WEBHOOK_SECRET: GITHUB_SECRET },
    }),
  );
  const parts = opened.move();
  const met = new Set<string>();

  async function call(operation: string, path: string, init: RequestInit = {}): Promise<Answered> {
    const { status, headers, body } = await ask(hub, path, init);
    demandFit(`${operation} ${status}`, body, contract.misfits(operation, status, body));
    met.add(`${operation} ${status}`);
    if (operation.startsWith("post")) (status === 200 ? Success : Failure).parse(body);
    return { status, headers, body: Answer.parse(body) };
  }

  const claude: ContractHub["claude"] = (body, init = {}) =>
    call(CLAUDE, "/api/webhooks/claude", {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...init,
    });

  const accepted: ContractHub["accepted"] = async (body) => {
    const answer = await claude(body);
    if (answer.status !== 200)
      throw new Error(`${answer.status} for ${JSON.stringify(body)}: ${JSON.stringify(answer)}`);
    return Success.parse(answer.body);
  };

  const checkSession: ContractHub["checkSession"] = (session) => {
    demandFit("session", session, contract.schemaMisfits("Session", session));
    const has = Object.keys(Answer.parse(session));
    const missing = contract.properties("Session").filter((name) => !has.includes(name));
    demandFit(
      "session",
      session,
      missing.map((name) => `has no ${name}`),
    );
  };

  return {
    hub,
    contract,
    met,
    call,
    claude,
    accepted,
    checkSession,
    async acceptedSession(body) {
      const answer = await accepted(body);
      const { session } = WithSession.parse(answer.data);
      checkSession(session);
      return { ...answer, session };
    },
    github: async (event, body, headers = {}) =>
      call(GITHUB, "/api/webhooks/github", {
        method: "POST",
        body,
        headers: await deliveryHeaders(event, body, headers),
      }),
    async githubStatus(event, body, others = {}) {
      const headers = await deliveryHeaders(event, body, others);
      const answer = await ask(hub, "/api/webhooks/github", { method: "POST", body, headers });
      (answer.status === 200 ? Success : Failure).parse(answer.body);
      return answer.status;
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function ask(hub: TestHub, path: string, init: RequestInit) {
  const response = await hub.fetch(path, init);
  const type = response.headers.get("content-type") ?? "";
  if (!type.startsWith("application/json")) throw new Error(`the answer to ${path} is ${type}`);
  const body: unknown = await response.json();
  return { status: response.status, headers: response.headers, body };
}

async function deliveryHeaders(
  event: string,
  body: string,
  others: Record<string, string | undefined>,
): Promise<Headers> {
  const headers = new Headers({
    "content-type": "application/json",
    "x-github-event": event,
    "x-github-delivery": randomUUID(),
    "x-hub-signature-256": await sign(GITHUB_SECRET, body),
  });
  for (const [name, value] of Object.entries(others))
    if (value === undefined) headers.delete(name);
    else headers.set(name, value);
  return headers;
}

/** The documented examples name two sessions; with them in the store they mean something. */
async function insertDocumentedSessions(url: string): Promise<void> {
  await using database = openDatabase({ url, maxConnections: 1 });
  const store = createSessionStore(database);
  const ids = ["550e8400-e29b-41d4-a716-446655440000", "660e8400-e29b-41d4-a716-446655440001"];
  for (const id of ids)
    await store.insert(
      sessionInsert(new Date().toISOString(), {
        id,
        session: {
          type: "implementation",
          project: { repository: "acme/webapp", requirements: "Say hello" },
        },
      }),
    );
}

/** GitHub's own example of a comment on an issue. */
export async function recordedComment(): Promise<string> {
  const path = createRequire(import.meta.url).resolve(
    "@octokit/webhooks-examples/api.github.com/index.json",
  );
  const all = z
    .array(z.object({ name: z.string(), examples: z.array(z.unknown()) }))
    .parse(JSON.parse(await readFile(path, "utf8")));
  return JSON.stringify(all.find(({ name }) => name === "issue_comment")?.examples[0]);
}

function demandFit(what: string, value: unknown, misfits: string[]): void {
  if (misfits.length === 0) return;
  throw new Error(`${what}: ${misfits.join("; ")}\n${JSON.stringify(value)}`);
}
