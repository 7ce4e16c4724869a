import { expect, test } from "vitest";
import { createProviderLimits, resetOf } from "./provider-limit.ts";
import type { ProviderLimit } from "./provider-limit.ts";

const NOW = Date.parse("2026-11-26T08:00:00Z");
const iso = (seconds: number) => new Date(NOW + seconds * 1_000).toISOString();
const inSeconds = (headers: Record<string, string>) => {
  const at = resetOf(headers, NOW);
  return at === null ? null : (at - NOW) / 1_000;
};

test("when calls are taken again is read from what providers say", () => {
  expect(inSeconds({ "retry-after": "12" })).toBe(12);
  expect(inSeconds({ "retry-after": new Date(NOW + 60_000).toUTCString() })).toBe(60);
  expect(inSeconds({ "anthropic-ratelimit-unified-reset": String(NOW / 1_000 + 90) })).toBe(90);
  const both = {
    "anthropic-ratelimit-requests-reset": iso(5),
    "anthropic-ratelimit-requests-remaining": "3",
    "anthropic-ratelimit-tokens-reset": iso(40),
    "anthropic-ratelimit-tokens-remaining": "0",
  };
  expect(inSeconds(both)).toBe(40);
  expect(inSeconds({ ...both, "anthropic-ratelimit-tokens-remaining": "1" })).toBe(5);
  expect(inSeconds({ ...both, "retry-after": "7" })).toBe(7);
});

test("what makes no sense says nothing, and nothing is believed beyond a week or before now", () => {
  for (const headers of [{}, { "retry-after": "" }, { "retry-after": "soon" }, { "x-reset": "9" }])
    expect(inSeconds(headers)).toBeNull();
  expect(inSeconds({ "retry-after": "999999999" })).toBe(604_800);
  expect(inSeconds({ "anthropic-ratelimit-tokens-reset": iso(-30) })).toBe(0);
});

test("a session that is turned away again and again without a word is paused, and only that one", async () => {
  const paused: ProviderLimit[] = [];
  const limits = createProviderLimits({
    waitMs: 1_000,
    onWait: () => Promise.reject(new Error("there is nothing to wait for")),
    onPause(limit) {
      paused.push(limit);
      return Promise.resolve(true);
    },
  });
  const { signal } = new AbortController();
  const ask = (id: string, status: number) => limits.forCall(id, signal).again(status, {});
  for (let at = 0; at < 4; at += 1) expect(await ask("a", 529)).toBe(false);
  await ask("b", 529);
  await ask("b", 200);
  for (let at = 0; at < 4; at += 1) await ask("b", 529);
  expect(paused).toEqual([]);
  await ask("a", 429);
  expect(paused).toMatchObject([{ sessionId: "a", status: 429 }]);
});
