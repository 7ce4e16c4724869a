import { array, assert, asyncProperty, boolean, constantFrom, nat, record } from "fast-check";
import { expect, inject, test } from "vitest";
import { openSessionLife } from "../../test/kit/hub/session-life.ts";
import type { TestLife } from "../../test/kit/hub/session-life.ts";
import { advance } from "./advance.ts";
import { NewOrchestration } from "./orchestrations.ts";

const project = { repository: "octo/greeter", requirements: "Greet in more languages." };

const anyPlan = record({
  integrate: boolean(),
  tasks: array(
    record({
      after: nat(),
      /** Only the one before it: what is joined would have heads of its own. */
      isChained: boolean(),
      pushes: boolean(),
      type: constantFrom("implementation" as const, "testing" as const, "analysis" as const),
    }),
    { minLength: 1, maxLength: 6 },
  ),
}).map(({ integrate, tasks }) => ({
  integrate,
  tasks: tasks.map(({ after, isChained, ...task }, index) => ({
    ...task,
    id: `t${index}`,
    needs: isChained && index > 0 ? [`t${after % index}`] : [],
  })),
}));

test(
  "branches are brought together by one more session where there are two, and by none where there are not",
  { timeout: 300_000 },
  async () => {
    await using house = await openSessionLife({ serverUrl: inject("databaseServer") });
    await assert(
      asyncProperty(anyPlan, async ({ integrate, tasks }) => {
        const id = await begin(house, { integrate, tasks });
        const pushing = tasks.filter(({ pushes, type }) => pushes && type !== "analysis");
        const titles = new Set(pushing.map((one) => one.id));
        await finishAll(house, id, titles);
        const loose = looseOf(tasks, titles);
        // Several hubs look at the same moment.
        await Promise.all([1, 2, 3].map(() => advance(house.deps, id)));
        const { sessions } = await house.orchestrations.get(id);
        const made = sessions.filter(({ role }) => role === "integrator");
        expect(made).toHaveLength(integrate && loose.length > 1 ? 1 : 0);
        for (const one of made) await house.finish(one.sessionId, { pushes: true });
        const view = await house.orchestrations.get(id);
        expect(view).toMatchObject({ state: "completed", error: null });
        const branchOf = (taskId: string | undefined) =>
          view.sessions.find((one) => one.taskId === taskId)?.workBranch;
        const single = loose.length === 1 ? branchOf(loose[0]) : null;
        expect(view.branch).toBe(made[0]?.workBranch ?? single);
        expect(view.sessions).toHaveLength(tasks.length + made.length);
      }),
      { numRuns: 40 },
    );
  },
);

test("nothing is brought together where a task has failed, or all was cancelled", async () => {
  await using house = await openSessionLife({ serverUrl: inject("databaseServer") });
  const { orchestrations: all } = house;
  const tasks = ["a", "b", "c"].map((id) => ({ id, needs: [] }));
  const failed = await begin(house, { integrate: true, tasks });
  const [first = "", ...rest] = await house.running();
  await house.finish(first, { outcome: "failed", error: "No." });
  for (const one of rest) await house.finish(one, { pushes: true });
  expect(await all.get(failed)).toMatchObject({ state: "failed", branch: null });

  const dropped = await begin(house, { integrate: true, tasks });
  const running = await house.running();
  for (const one of running.slice(1)) await house.finish(one, { pushes: true });
  await all.cancel(dropped);
  // It was through before it heard of it.
  await house.finish(running[0] ?? "", { pushes: true });
  const view = await all.get(dropped);
  expect(view.sessions).toHaveLength(3);
  expect(view).toMatchObject({ state: "cancelled", error: "Cancelled on request" });
});

interface Task {
  id: string;
  needs: string[];
  type?: "implementation" | "testing" | "analysis";
}

async function begin(house: TestLife, plan: { integrate: boolean; tasks: Task[] }) {
  const tasks = plan.tasks.map(({ id, needs, type = "implementation" }) => ({
    id,
    needs,
    type,
    title: id,
    requirements: "x",
  }));
  const made = await house.orchestrations.create(
    NewOrchestration.parse({ project, autoStart: true, plan: { ...plan, tasks } }),
  );
  return made.orchestrationId;
}

async function finishAll(house: TestLife, id: string, pushing: ReadonlySet<string>) {
  for (;;) {
    const open = await house.running();
    if (open.length === 0) return;
    const all = await house.deps.store.sessions(id, 100);
    for (const one of open) {
      const task = all.find(({ sessionId }) => sessionId === one)?.taskId ?? "";
      await house.finish(one, { pushes: pushing.has(task) });
    }
  }
}

/** In a forest: those that pushed, and that nobody who pushed comes after, with none who pushed between. */
function looseOf(tasks: readonly Task[], pushed: ReadonlySet<string>): string[] {
  const begunOn = (id: string): string | null => {
    const [before] = tasks.find((one) => one.id === id)?.needs ?? [];
    if (before === undefined) return null;
    return pushed.has(before) ? before : begunOn(before);
  };
  const used = new Set([...pushed].map((id) => begunOn(id)));
  return [...pushed].filter((id) => !used.has(id));
}
