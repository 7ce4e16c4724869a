import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HubError } from "../../core/errors.ts";
import { createTurns, isAllowanceSpent, kindOf } from "./turns.ts";
import type { RequestKind } from "./turns.ts";

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

/** Notes when each piece of work began, and how many were at work together. */
function openPlace(tookMs = 10) {
  const turns = createTurns();
  const begun: { name: string; at: number }[] = [];
  let atWork = 0;
  let most = 0;
  return {
    begun,
    most: () => most,
    names: () => begun.map(({ name }) => name),
    times: () => begun.map(({ at }) => at),
    add(
      account: string,
      kind: RequestKind,
      name: string,
      fail?: () => HubError | null,
      about?: string,
    ) {
      const work = async () => {
        begun.push({ name, at: Date.now() });
        atWork += 1;
        most = Math.max(most, atWork);
        await new Promise((done) => setTimeout(done, tookMs));
        atWork -= 1;
        const error = fail?.() ?? null;
        if (error !== null) throw error;
        return name;
      };
      return turns.run(account, kind, work, about);
    },
  };
}

const limited = (seconds: number) =>
  new HubError("rate_limited", "slowly", { retryAfterSeconds: seconds });

test("writes of an account go one after the other, a second apart, notices three", async () => {
  const place = openPlace();
  for (const name of ["w1", "w2", "w3"]) void place.add("a", "write", name);
  for (const name of ["n1", "n2"]) void place.add("a", "notice", name);
  await vi.runAllTimersAsync();
  expect(place.begun).toEqual([
    { name: "w1", at: 0 },
    { name: "n1", at: 1_000 },
    { name: "w2", at: 2_000 },
    { name: "w3", at: 3_000 },
    { name: "n2", at: 4_000 },
  ]);
  expect(place.most()).toBe(1);
});

test("the next write waits for the answer to the one before, and other accounts for neither", async () => {
  const place = openPlace(2_500);
  for (const name of ["w1", "w2"]) void place.add("a", "write", name);
  void place.add("b", "write", "other");
  await vi.runAllTimersAsync();
  expect(place.begun).toEqual([
    { name: "w1", at: 0 },
    { name: "other", at: 0 },
    { name: "w2", at: 2_500 },
  ]);
});

test("a sign passes a long row of writes, and even one that is under way", async () => {
  const place = openPlace(30_000);
  for (let count = 0; count < 50; count += 1) void place.add("a", "write", `w${count}`);
  void place.add("a", "sign", "eyes");
  await vi.advanceTimersByTimeAsync(0);
  expect(place.begun).toEqual([
    { name: "w0", at: 0 },
    { name: "eyes", at: 0 },
  ]);
});

test("many signs and writes together stay below what GitHub takes in a minute", async () => {
  const place = openPlace();
  for (let count = 0; count < 200; count += 1) {
    void place.add("a", "sign", "sign");
    // At the pace of writes, and none of the hour's allowance.
    void place.add("a", "check", "check");
  }
  await vi.advanceTimersByTimeAsync(600_000);
  expect(place.begun).toHaveLength(400);
  const times = place.times();
  for (const from of times)
    expect(times.filter((at) => at >= from && at < from + 60_000).length).toBeLessThan(80);
});

test("a short pause is waited for by all, and what was refused is done once more", async () => {
  const place = openPlace();
  let refusals = 1;
  const done = place.add("a", "read", "r1", () => (refusals-- > 0 ? limited(3) : null));
  await vi.advanceTimersByTimeAsync(100);
  const other = place.add("a", "read", "r2");
  await vi.runAllTimersAsync();
  expect(await Promise.all([done, other])).toEqual(["r1", "r2"]);
  expect(place.begun).toEqual([
    { name: "r1", at: 0 },
    { name: "r1", at: 3_010 },
    { name: "r2", at: 3_010 },
  ]);
});

test("the signs on one thing keep their order, whatever was refused, and hold up no others", async () => {
  const place = openPlace();
  let refusals = 1;
  const sign = (name: string, about: string, fail?: () => HubError | null) =>
    void place.add("a", "sign", name, fail, about);
  sign("first", "one", () => (refusals-- > 0 ? limited(1) : null));
  await vi.advanceTimersByTimeAsync(5);
  sign("last", "one");
  sign("other", "two");
  await vi.runAllTimersAsync();
  expect(place.begun).toEqual([
    { name: "first", at: 0 },
    { name: "other", at: 5 },
    { name: "first", at: 1_010 },
    { name: "last", at: 1_020 },
  ]);
});

test("of a long pause everybody is told, with what is left of it; nobody asks meanwhile", async () => {
  const place = openPlace();
  const codes = [
    place.add("a", "write", "w1", () => limited(60)),
    place.add("a", "write", "w2"),
  ].map((one) => one.then(String, (error: HubError) => error.retryAfterSeconds));
  await vi.advanceTimersByTimeAsync(20_000);
  const late = place.add("a", "read", "r").then(String, (e: HubError) => e.retryAfterSeconds);
  expect(await Promise.all([...codes, late])).toEqual([60, 60, 41]);
  expect(place.names()).toEqual(["w1"]);
  await vi.advanceTimersByTimeAsync(41_000);
  void place.add("a", "read", "after");
  await vi.runAllTimersAsync();
  expect(place.names()).toEqual(["w1", "after"]);
});

test("a row has an end, and failures hold nobody up", async () => {
  const place = openPlace();
  const failed = place.add("a", "write", "w", () => new HubError("not_found", "gone"));
  failed.catch(() => undefined);
  // What no hour's allowance holds back.
  const all = Array.from({ length: 1_001 }, () => place.add("a", "check", "w"));
  const last = await all.at(-1)?.then(String, (error: HubError) => error.code);
  expect(last).toBe("rate_limited");
  await vi.advanceTimersByTimeAsync(1_100);
  expect(place.begun).toHaveLength(2);
  await expect(failed).rejects.toThrow("gone");
});

test.each([
  ["GET /repos/{owner}/{repo}/issues/{number}", "read"],
  ["POST /repos/{owner}/{repo}/issues/comments/7/reactions", "sign"],
  ["POST /repos/{owner}/{repo}/issues/{number}/comments", "notice"],
  ["POST /repos/{owner}/{repo}/pulls/{number}/comments/{id}/replies", "notice"],
  ["POST /repos/{owner}/{repo}/pulls", "notice"],
  ["POST /repos/{owner}/{repo}/pulls/{number}/reviews", "notice"],
  ["PATCH /repos/{owner}/{repo}/issues/comments/{id}", "edit"],
  ["POST /repos/{owner}/{repo}/issues/{number}/labels", "write"],
  ["POST /repos/{owner}/{repo}/check-runs", "check"],
  ["DELETE /repos/{owner}/{repo}/git/refs/{ref}", "write"],
])("%s is a %s", (route, kind) => {
  expect(kindOf(route)).toBe(kind);
});

test("in no hour is there more content than GitHub takes, and what matters more comes to its end", async () => {
  const place = openPlace(1);
  const refused = new Set<string>();
  const ask = async (kind: RequestKind, name: string) => {
    for (;;)
      try {
        return await place.add("a", kind, name);
      } catch (error) {
        if (!(error instanceof HubError)) throw error;
        refused.add(kind);
        await new Promise((done) => setTimeout(done, (error.retryAfterSeconds ?? 0) * 1_000));
      }
  };
  const all = (["edit", "sign", "write", "notice"] as const).flatMap((kind) =>
    Array.from({ length: 200 }, (_, at) => ask(kind, `${kind} ${at}`)),
  );
  await vi.runAllTimersAsync();
  await Promise.all(all);
  expect(place.begun).toHaveLength(800);
  for (const { at: from } of place.begun) {
    const within = (ms: number) =>
      place.begun.filter(({ at }) => at >= from && at < from + ms).length;
    expect(within(3_600_000)).toBeLessThanOrEqual(500);
    expect(within(60_000)).toBeLessThanOrEqual(80);
  }
  // Edits give way to what people are told of, and signs to both.
  const inFirstHour = (kind: string) =>
    place.begun.filter(({ name, at }) => name.startsWith(kind) && at < 3_600_000).length;
  expect(inFirstHour("notice")).toBeGreaterThan(inFirstHour("edit"));
  expect(inFirstHour("sign")).toBeLessThanOrEqual(200);
  expect(refused).toContain("edit");
});

test("a check is no content, and tells when the allowance is spent who asks again", async () => {
  const place = openPlace(1);
  for (let count = 0; count < 200; count += 1) void place.add("a", "sign", `s${count}`);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(place.begun).toHaveLength(200);
  const error: unknown = await place.add("a", "sign", "more").catch((one: unknown) => one);
  expect(isAllowanceSpent(error)).toBe(true);
  expect(isAllowanceSpent(limited(60))).toBe(false);
  // Not before the hour of the first one is over.
  expect(error).toMatchObject({ code: "rate_limited", retryAfterSeconds: 3_000 });
  for (let count = 0; count < 600; count += 1) void place.add("a", "check", `c${count}`);
  await vi.advanceTimersByTimeAsync(700_000);
  expect(place.begun).toHaveLength(800);
  expect(await Promise.race([place.add("a", "notice", "n"), vi.runAllTimersAsync()])).toBeDefined();
});
