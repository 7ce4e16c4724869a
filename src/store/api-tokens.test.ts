import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../../test/kit/hub/database.ts";
import { createApiTokens } from "./api-tokens.ts";
import { openDatabase } from "./database.ts";
import { createRetentionStore } from "./sessions/retention.ts";

const DAY_MS = 86_400_000;

test("tokens are known by their hash while they are good, and forgotten some time after", async () => {
  await using own = await createTestDatabase(inject("databaseServer"));
  await using database = openDatabase({ url: own.url, maxConnections: 2 });
  let now = Date.now();
  const tokens = createApiTokens({ database, clock: { now: () => new Date(now) } });
  const make = async (name: string, more = {}) =>
    await tokens.create({ name, scopes: ["read"], ...more });
  const kept = await make("kept");
  const revoked = await make("revoked");
  const ending = await make("ending", { expiresAt: new Date(now + DAY_MS).toISOString() });
  const shown = kept.secret.reveal();
  expect(await tokens.find(shown)).toMatchObject({ tokenId: kept.token.id, repositories: null });
  for (const wrong of [shown.slice(0, -1), `${shown}x`, shown.toUpperCase(), "", kept.token.id])
    expect(await tokens.find(wrong)).toBeNull();
  // Many at once share statements, and each gets its own.
  const found = await Promise.all(
    Array.from({ length: 60 }, (_, at) =>
      tokens.find((at % 2 === 0 ? kept : ending).secret.reveal()),
    ),
  );
  expect(found.map((access) => access?.tokenId)).toEqual(
    Array.from({ length: 60 }, (_, at) => (at % 2 === 0 ? kept : ending).token.id),
  );

  // The use is noted once a minute.
  const [, , first] = await tokens.list({ limit: 10 });
  now += 30_000;
  await tokens.find(shown);
  expect((await tokens.list({ limit: 10 }))[2]?.lastUsedAt).toBe(first?.lastUsedAt);
  now += 31_000;
  await tokens.find(shown);
  expect((await tokens.list({ limit: 10 }))[2]?.lastUsedAt).toBe(new Date(now).toISOString());

  const ended = await tokens.revoke(revoked.token.id);
  now += 1_000;
  expect(await tokens.revoke(revoked.token.id)).toEqual(ended);
  expect(await tokens.find(revoked.secret.reveal())).toBeNull();
  expect(await tokens.isGood(revoked.token.id)).toBe(false);
  expect(await tokens.isGood(kept.token.id)).toBe(true);

  const retention = createRetentionStore(database);
  const names = async () => (await tokens.list({ limit: 10 })).map(({ name }) => name);
  await retention.deleteTraces(new Date(now - DAY_MS));
  expect(await names()).toEqual(["ending", "revoked", "kept"]);
  await retention.deleteTraces(new Date(now + 1));
  expect(await names()).toEqual(["ending", "kept"]);
  await retention.deleteTraces(new Date(now + 2 * DAY_MS));
  expect(await names()).toEqual(["kept"]);
  // What is read goes on from there.
  expect(await tokens.list({ limit: 10, before: kept.token.id })).toEqual([]);
});
