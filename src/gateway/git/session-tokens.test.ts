import pino from "pino";
import { expect, test } from "vitest";
import { waitFor } from "../../../test/kit/wait.ts";
import { newId } from "../../core/id.ts";
import { policyFor } from "../../core/policy.ts";
import { Secret } from "../../core/secret.ts";
import { createSessionTokens } from "./session-tokens.ts";

const POLICY = {
  pushBranches: ["claude/*"],
  pushWorkflows: false,
  maxTokens: null,
  maxCostUsd: null,
};
const HOUR_MS = 3_600_000;

function session(repository = "octo/app") {
  return { sessionId: newId(), repository, policy: policyFor("implementation", POLICY) };
}

function openPlace() {
  let now = 0;
  let revokeFails = false;
  const issued: string[] = [];
  const revoked: string[] = [];
  const ended = new Set<string>();
  let isAway = false;
  const tokens = createSessionTokens({
    async issue(repository, { workflows }) {
      if (isAway) throw new Error("away");
      await Promise.resolve();
      if (repository === "octo/none") return null;
      const text = `token ${issued.length}${workflows ? " w" : ""}`;
      issued.push(text);
      return { token: new Secret(text), expiresAt: new Date(now + HOUR_MS) };
    },
    revoke(token) {
      revoked.push(token.reveal());
      return revokeFails ? Promise.reject(new Error("no")) : Promise.resolve();
    },
    hasEnded: (id) => Promise.resolve(ended.has(id)),
    clock: { now: () => new Date(now) },
    log: pino({ enabled: false }),
    lookMs: 5,
  });
  return {
    tokens,
    issued,
    revoked,
    ended,
    pass: (ms: number) => void (now += ms),
    goAway: (away: boolean) => void (isAway = away),
    failRevoking: () => void (revokeFails = true),
    [Symbol.asyncDispose]: () => tokens[Symbol.asyncDispose](),
  };
}

async function ask(at: ReturnType<typeof openPlace>, one: ReturnType<typeof session>) {
  using lease = await at.tokens.lease(one, null);
  return lease.credential?.reveal() ?? null;
}

test("each session has one of its own, renewed before it ends, and replaced when it is refused", async () => {
  await using at = openPlace();
  const [one, two] = [session(), session()];
  expect(await Promise.all([ask(at, one), ask(at, one), ask(at, two)])).toEqual([
    "token 0",
    "token 0",
    "token 1",
  ]);
  at.pass(HOUR_MS - 600_001);
  expect(await ask(at, one)).toBe("token 0");
  at.pass(2);
  expect(await ask(at, one)).toBe("token 2");
  using refused = await at.tokens.lease(one, new Secret("token 2"));
  expect(refused.credential?.reveal()).toBe("token 3");
  // Who comes with an older one is given what is there.
  using late = await at.tokens.lease(one, new Secret("token 2"));
  expect(late.credential?.reveal()).toBe("token 3");
});

test("it is taken back when the session has ended, but not under a push", async () => {
  await using at = openPlace();
  const [one, two] = [session(), session()];
  const lease = await at.tokens.lease(one, null);
  expect(await ask(at, two)).toBe("token 1");
  at.ended.add(one.sessionId).add(two.sessionId);
  await waitFor(() => at.revoked.includes("token 1"));
  expect(at.revoked).toEqual(["token 1"]);
  lease[Symbol.dispose]();
  await waitFor(() => at.revoked.includes("token 0"));
  at.failRevoking();
  const three = session();
  await ask(at, three);
  at.ended.add(three.sessionId);
  await waitFor(() => at.revoked.includes("token 2"));
});

test("what is held at the end is taken back", async () => {
  const at = openPlace();
  await ask(at, session());
  await ask(at, session());
  await at[Symbol.asyncDispose]();
  expect(at.revoked).toEqual(["token 0", "token 1"]);
});

test("a failure, and that there is none, are not remembered", async () => {
  await using at = openPlace();
  const one = session();
  at.goAway(true);
  await expect(ask(at, one)).rejects.toThrow("away");
  at.goAway(false);
  expect(await ask(at, one)).toBe("token 0");
  expect(await ask(at, session("octo/none"))).toBeNull();
});
