import { setTimeout as pause } from "node:timers/promises";
import pino from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HubError } from "../src/core/errors.ts";
import { Secret } from "../src/core/secret.ts";
import type { ForgeRepository } from "../src/forge/forge.ts";
import { createGitHub as createForge } from "../src/forge/github/github.ts";
import { createGitHub } from "./kit/github/github.ts";
import type { LocalGitHub } from "./kit/github/github.ts";

const MENTIONS = 200;
const STEP_MS = 1_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** Lets hours pass in seconds; none passes while something is under way. */
async function letTimePass(github: LocalGitHub, until: Promise<unknown>): Promise<void> {
  const ended = until.then(
    () => true,
    () => true,
  );
  for (;;) {
    if (await Promise.race([ended, pause(1, false)])) return;
    if (github.requests.slice(-50).some(({ status }) => status === null)) continue;
    await vi.advanceTimersByTimeAsync(STEP_MS);
  }
}

test(
  "two hundred mentions at once: GitHub refuses nothing, and each has its last word",
  { timeout: 300_000 },
  async () => {
    await using github = await createGitHub({ secondaryLimits: true });
    const app = github.app();
    const names = ["octo/one", "octo/two", "octo/three", "octo/four"];
    for (const name of names)
      await github.repository(name, { files: { "a.txt": "a\n" }, collaborators: { ada: "write" } });
    github.install(app, "octo");
    const forge = createForge({
      apiUrl: github.apiUrl,
      identity: { appId: app.id, privateKey: new Secret(app.privateKey) },
      timeoutMs: 60_000,
      throttle: true,
      written: { begin: () => Promise.resolve("never"), done: () => Promise.resolve() },
      log: pino({ enabled: false }),
    });
    // One person a mention: the installation is what counts, and not those who ask.
    const asked = await Promise.all(
      Array.from({ length: MENTIONS }, async (_, at) => {
        const name = names[at % names.length] ?? "";
        const person = github.as(`person-${at}`);
        const { number } = await person.openIssue(name, { title: "It hurts", body: "Here." });
        const { id } = await person.comment(name, number, "@hub look");
        return { repository: forge.repository(name), name, number, id };
      }),
    );
    const all = Promise.all(asked.map(answer));
    await letTimePass(github, all);
    const ids = await all;
    const writes = github.requests.filter(
      ({ method, kind, by }) => kind === "api" && method !== "GET" && by === `${app.slug}[bot]`,
    );
    expect(github.requests.filter(({ status }) => status === 403 || status === 429)).toEqual([]);
    const edited = writes.filter(({ method, status }) => method === "PATCH" && status === 200);
    expect(new Set(edited.map(({ path }) => Number(path.split("/").at(-1))))).toEqual(new Set(ids));
    const routes = writes.map(({ method, route }) => `${method} ${route}`);
    const made = routes.map((route) => /^POST .*\/comments$/.test(route));
    expect(made.filter(Boolean)).toHaveLength(MENTIONS);
  },
);

/** As the bot does: a sign, a comment, its last edit, a sign. */
async function answer(of: { repository: ForgeRepository; number: number; id: number }) {
  const { repository, number, id } = of;
  const target = { kind: "comment", id } as const;
  await insist(() => repository.react(target, "eyes"));
  const key = `session:${id}`;
  const said = await insist(() => repository.say(key, { number }, "Working"));
  await insist(() => repository.edit({ id: said.id, kind: "thread", key }, "Done"));
  await insist(() => repository.react(target, "hooray"));
  return said.id;
}

/** As the bot does it, too: what there is no room for is asked again when it was told to. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== "rate_limited") throw error;
      await new Promise((resolve) => setTimeout(resolve, (error.retryAfterSeconds ?? 0) * 1_000));
    }
}
