import { expect, test } from "vitest";
import { createSlots } from "./slots.ts";

/** Work that runs until it is let go; `running` names what runs, in the order in which it began. */
function createWork() {
  const running: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    running,
    start: (name: string) => async () => {
      running.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      running.splice(running.indexOf(name), 1);
    },
    async end(name: string) {
      ends.get(name)?.();
      await new Promise(setImmediate);
    },
  };
}

test("nobody takes the places of all, and places go to those who may have them", async () => {
  const slots = createSlots({ max: 3, maxEach: 2, maxWaiting: 10, maxWaitingEach: 10 });
  const work = createWork();
  const all = ["a1", "a2", "a3", "a4", "b1", "b2"].map((name) =>
    slots.run(name.slice(0, 1), work.start(name)),
  );
  await new Promise(setImmediate);
  expect(work.running).toEqual(["a1", "a2", "b1"]);
  await work.end("b1");
  expect(work.running).toEqual(["a1", "a2", "b2"]);
  await work.end("a1");
  expect(work.running).toEqual(["a2", "b2", "a3"]);
  for (const name of ["b2", "a2", "a3", "a4"]) await work.end(name);
  await Promise.all(all);
  expect(work.running).toEqual([]);
  const failed = slots.run("a", () => Promise.reject(new Error("broken")));
  await expect(failed).rejects.toThrow("broken");
  expect(await slots.run("a", () => Promise.resolve("free"))).toBe("free");
});

test("who waits too often is refused, and so is who finds the queue full", async () => {
  const slots = createSlots({ max: 1, maxEach: 1, maxWaiting: 3, maxWaitingEach: 2 });
  const work = createWork();
  const run = (name: string) => slots.run(name.slice(0, 1), work.start(name));
  const accepted = [run("a1"), run("a2"), run("a3")];
  await expect(run("a4")).rejects.toMatchObject({ code: "unavailable", retryAfterSeconds: 5 });
  accepted.push(run("b1"));
  await expect(run("c1")).rejects.toMatchObject({ code: "unavailable" });
  for (const name of ["a1", "a2", "a3", "b1"]) await work.end(name);
  await Promise.all(accepted);
});
