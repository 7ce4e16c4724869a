import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createTestDatabase } from "../../../test/kit/hub/database.ts";
import { newId } from "../../core/id.ts";
import { openDatabase } from "../database.ts";
import { migrate } from "../migrator.ts";
import { createSpendingStore } from "./spending.ts";
import type { DayAsk, SpendingStore } from "./spending.ts";

const NONE = { costUsd: null, tokens: null };
const parts = new AsyncDisposableStack();
let spending: SpendingStore;
beforeAll(async () => {
  const { url } = parts.use(await createTestDatabase(inject("databaseServer")));
  await migrate(url);
  spending = createSpendingStore(
    parts.use(openDatabase({ url, maxConnections: 8, onIdleError: () => undefined })),
  );
});
afterAll(async () => {
  await parts.disposeAsync();
});

let repositories = 0;
function asking(more: Partial<DayAsk>): () => DayAsk {
  repositories += 1;
  const repositoryId = repositories;
  return () => {
    const sessionId = newId();
    const at = new Date();
    return {
      cause: sessionId,
      sessionId,
      repositoryId,
      repository: `octo/r${repositoryId}`,
      since: new Date(at.getTime() - 3_600_000),
      at,
      day: NONE,
      session: NONE,
      ...more,
    };
  };
}

test("those who ask at the same time do not pass the day together", async () => {
  const asks = asking({
    day: { costUsd: 5, tokens: null },
    session: { costUsd: 2, tokens: 100 },
  });
  const all = await Promise.all(Array.from({ length: 8 }, () => spending.reserve(asks())));
  const granted = all.flatMap((one) => (one.isOver ? [] : [one.limits.costUsd]));
  expect(granted.toSorted((a, b) => Number(a) - Number(b))).toEqual([1, 2, 2]);
  expect(all.find(({ isOver }) => isOver)).toMatchObject({
    spent: { costUsd: 0 },
    setAside: { costUsd: 5 },
  });
});

test("one without a limit leaves half of what is left, and what is too little is nothing", async () => {
  const asks = asking({ day: { costUsd: null, tokens: 1_000 } });
  const granted: (number | null)[] = [];
  for (;;) {
    const one = await spending.reserve(asks());
    if (one.isOver) break;
    granted.push(one.limits.tokens);
  }
  expect(granted.slice(0, 3)).toEqual([500, 250, 125]);
  expect(granted.reduce((sum: number, one) => sum + (one ?? 0), 0)).toBeLessThanOrEqual(1_000);
});

test("asked again for the same, it answers the same", async () => {
  const asks = asking({ day: { costUsd: 1, tokens: null }, session: { costUsd: 1, tokens: null } });
  const first = asks();
  const granted = await spending.reserve(first);
  expect(await spending.reserve({ ...first, sessionId: newId() })).toEqual(granted);
  expect(await spending.reserve(asks())).toMatchObject({ isOver: true });
});
