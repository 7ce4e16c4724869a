import { expect, test } from "vitest";
import { HubRefusal } from "../../client/refusal.ts";
import { parseBatch } from "../../core/batch-file.ts";
import { createAll, requestsFor } from "./create-all.ts";

const TASKS = parseBatch(
  ["a", "b", "c", "d"].map((id) => ({ id, repo: "octo/greeter", command: "Do it." })),
);

function hubThat(cannotCancel: string[]) {
  const cancelled: string[] = [];
  const made = new Set<string>();
  return {
    cancelled,
    async create() {
      if (made.size === 3) throw new HubRefusal(400, "no more of them");
      const id = `s${made.size}`;
      made.add(id);
      return await Promise.resolve({ id });
    },
    async cancel(id: string) {
      if (cannotCancel.includes(id)) throw new Error("the hub is away");
      cancelled.push(id);
      return await Promise.resolve({ id });
    },
  };
}

test("when one is refused none is left, and what could not be cancelled is named", async () => {
  const requests = requestsFor(TASKS, null);
  const { signal } = new AbortController();
  const hub = hubThat([]);
  await expect(createAll(hub, requests, signal)).rejects.toThrow("task d: no more of them");
  expect(hub.cancelled).toEqual(["s2", "s1", "s0"]);
  const poor = hubThat(["s1"]);
  await expect(createAll(poor, requests, signal)).rejects.toThrow("these are left: s1");
  expect(poor.cancelled).toEqual(["s2", "s0"]);
});
