import {
  array,
  assert,
  boolean,
  constantFrom,
  nat,
  pre,
  property,
  record,
  shuffledSubarray,
  uniqueArray,
} from "fast-check";
import { describe, expect, test } from "vitest";
import { graphOf } from "./plan-graph.ts";
import type { PlanGraph } from "./plan-graph.ts";
import { Plan, planFault } from "./plan.ts";
import type { PlanTask } from "./plan.ts";
import { writes } from "./policy.ts";

type Given = Partial<PlanTask> & { id: string };

function plan(tasks: Given[], more: Partial<Plan> = {}): Plan {
  const whole = tasks.map((task) => ({ title: task.id, requirements: "Do it.", ...task }));
  return Plan.parse({ ...more, tasks: whole });
}

const bounds = { maxTasks: 50 };
const fault = (tasks: Given[]) => planFault(plan(tasks), bounds);

describe("what is refused, and where it stands", () => {
  test("cycles", () => {
    expect(fault([{ id: "a", needs: ["a"] }])).toEqual({
      path: "tasks.0.needs.0",
      reason: "a task cannot need itself",
    });
    expect(
      fault([
        { id: "first" },
        { id: "tail", needs: ["first", "a"] },
        { id: "a", needs: ["first", "b"] },
        { id: "b", needs: ["c"] },
        { id: "c", needs: ["a"] },
      ]),
    ).toEqual({ path: "tasks.2.needs.1", reason: "is a cycle: a needs b needs c needs a" });
  });

  test("unknown references, doubles, too many", () => {
    expect(fault([{ id: "a" }, { id: "b", needs: ["a", "x"] }])).toEqual({
      path: "tasks.1.needs.1",
      reason: "there is no task x",
    });
    expect(fault([{ id: "a" }, { id: "b" }, { id: "A" }])).toEqual({
      path: "tasks.2.id",
      reason: "A is the name of tasks.0, too",
    });
    expect(fault([{ id: "a" }, { id: "b", needs: ["a", "a"] }])).toEqual({
      path: "tasks.1.needs.1",
      reason: "a is named twice",
    });
    const many = Array.from({ length: 51 }, (_, index) => ({ id: `t${index}` }));
    expect(fault(many)?.path).toBe("tasks");
    expect(fault(many.slice(1))).toBeNull();
  });

  test("attempts that nothing could judge", () => {
    expect(fault([{ id: "a", attempts: 2 }])?.path).toBe("tasks.0.attempts");
    const judged = { id: "a", attempts: 2, check: "npm test" };
    expect(fault([judged])).toBeNull();
    expect(fault([{ ...judged, type: "review" }])?.path).toBe("tasks.0.attempts");
    expect(fault([{ ...judged, onFailure: { retry: 1 } }])?.path).toBe("tasks.0.attempts");
  });

  test("paths that lead out of the repository, and words that nobody knows", () => {
    const task = { id: "a", title: "a", requirements: "x" };
    for (const file of ["/etc/passwd", "../x", "a/../../b", ""])
      expect(Plan.safeParse({ tasks: [{ ...task, files: [file] }] }).success).toBe(false);
    expect(Plan.safeParse({ tasks: [{ ...task, need: ["b"] }] }).success).toBe(false);
    expect(Plan.safeParse({ tasks: [task] }).success).toBe(true);
  });
});

const pairs = ({ edges }: PlanGraph) =>
  edges.map(({ task, after, why }) => `${after} > ${task} (${why})`);

describe("who comes after whom", () => {
  test("tasks that change the same files take turns, and it is said why", () => {
    const graph = graphOf(
      plan([
        { id: "a", files: ["src/api/**"] },
        { id: "b", files: ["docs/**"] },
        { id: "c", files: ["src/api/routes.ts"] },
        { id: "d", files: ["src"] },
        { id: "e", files: ["src/api/**"], type: "review" },
      ]),
    );
    expect(pairs(graph)).toEqual(["a > c (files)", "c > d (files)"]);
    expect(graph.edges[0]?.reason).toBe(
      "both are expected to change src/api/routes.ts and src/api/**",
    );
    expect(graph.heads).toEqual(["b", "d"]);
  });

  test("side by side when the plan says so", () => {
    const tasks = [
      { id: "a", files: ["src"] },
      { id: "b", files: ["src"] },
    ];
    expect(graphOf(plan(tasks, { sameFilesSideBySide: true })).edges).toEqual([]);
  });

  test("sequential: in the order of needs, then of the list", () => {
    const graph = graphOf(
      plan([{ id: "a", needs: ["c"] }, { id: "b" }, { id: "c" }], { strategy: "sequential" }),
    );
    expect(graph.tasks.map(({ id }) => id)).toEqual(["b", "c", "a"]);
    expect(pairs(graph)).toEqual(["c > a (needs)", "b > c (strategy)"]);
  });

  test("wait_for_core: all that is not core, nor needed by it", () => {
    const tasks: Given[] = [
      { id: "look", type: "analysis" },
      { id: "one", needs: ["look"] },
      { id: "two" },
      { id: "tests", type: "testing" },
    ];
    const all = graphOf(plan(tasks, { strategy: "wait_for_core" }));
    expect(pairs(all)).toEqual([
      "look > one (needs)",
      "one > tests (strategy)",
      "two > tests (strategy)",
    ]);
    const marked = tasks.map((task) => ({ ...task, core: task.id === "one" }));
    expect(pairs(graphOf(plan(marked, { strategy: "wait_for_core" })))).toEqual([
      "look > one (needs)",
      "one > two (strategy)",
      "one > tests (strategy)",
    ]);
  });

  test("heads: work that nobody builds on", () => {
    const chain: Given[] = [
      { id: "a" },
      { id: "r", type: "analysis", needs: ["a"] },
      { id: "b", needs: ["r"] },
    ];
    expect(graphOf(plan(chain)).heads).toEqual(["b"]);
    const joined = [{ id: "a" }, { id: "b" }, { id: "c", needs: ["a", "b"] }];
    expect(graphOf(plan(joined)).heads).toEqual(["a", "b", "c"]);
  });
});

const FILES = ["src/a.ts", "src/b.ts", "src/*.ts", "src", "docs/**", "**/*.md"];

/** Any plan without cycles: tasks need earlier ones, and then they are shuffled. */
const anyPlan = array(
  record({
    needs: array(nat(), { maxLength: 3 }),
    files: uniqueArray(constantFrom(...FILES), { maxLength: 2 }),
    type: constantFrom("implementation" as const, "testing" as const, "analysis" as const),
    core: boolean(),
  }),
  { minLength: 1, maxLength: 14 },
)
  .chain((nodes) =>
    record({
      tasks: shuffledSubarray(
        nodes.map(({ needs, ...node }, index) => ({
          ...node,
          id: `t${index}`,
          needs: index === 0 ? [] : [...new Set(needs.map((need) => `t${need % index}`))],
        })),
        { minLength: nodes.length },
      ),
      strategy: constantFrom("parallel" as const, "sequential" as const, "wait_for_core" as const),
    }),
  )
  .map(({ tasks, strategy }) => plan(tasks, { strategy }));

function ancestors({ tasks, edges }: PlanGraph): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { id } of tasks) {
    const direct = edges.filter(({ task }) => task === id).map(({ after }) => after);
    found.set(id, new Set(direct.flatMap((one) => [one, ...(found.get(one) ?? [])])));
  }
  return found;
}

test("any plan: no cycle, nothing lost, no two at the same files, and the same again", () => {
  assert(
    property(anyPlan, (given) => {
      expect(planFault(given, bounds)).toBeNull();
      const graph = graphOf(given);
      expect(graphOf(given)).toEqual(graph);
      expect(graph.tasks.toSorted(byId)).toEqual(given.tasks.toSorted(byId));
      const place = new Map(graph.tasks.map(({ id }, index) => [id, index]));
      for (const { task, after } of graph.edges)
        expect(place.get(after) ?? Infinity).toBeLessThan(place.get(task) ?? -1);
      const edges = graph.edges.map(({ task, after }) => `${task} ${after}`);
      expect(new Set(edges).size).toBe(edges.length);
      const before = ancestors(graph);
      for (const { id, needs } of given.tasks)
        for (const need of needs) expect(before.get(id)).toContain(need);
      for (const one of given.tasks)
        for (const other of given.tasks) {
          if (one === other || !writes(one.type) || !writes(other.type)) continue;
          if (!one.files.some((file) => other.files.includes(file))) continue;
          const ordered = before.get(one.id)?.has(other.id) || before.get(other.id)?.has(one.id);
          expect(ordered).toBe(true);
        }
    }),
    { numRuns: 500 },
  );
});

test("any plan that is bent back on itself is refused, with the way round", () => {
  assert(
    property(anyPlan, nat(), (given, pick) => {
      const before = ancestors(
        graphOf({ ...given, strategy: "parallel", sameFilesSideBySide: true }),
      );
      const task = given.tasks[pick % given.tasks.length];
      const back = [...(before.get(task?.id ?? "") ?? [])].at(-1);
      pre(task !== undefined && back !== undefined);
      const bent = given.tasks.map((one) =>
        one.id === back ? { ...one, needs: [...one.needs, task?.id ?? ""] } : one,
      );
      const found = planFault({ ...given, tasks: bent }, bounds);
      expect(found?.reason).toMatch(/^is a cycle: (t\d+)( needs t\d+)* needs \1$/);
      const [, at = "", place = ""] = /^tasks\.(\d+)\.needs\.(\d+)$/.exec(found?.path ?? "") ?? [];
      expect(bent[Number(at)]?.needs[Number(place)]).toBeDefined();
    }),
    { numRuns: 300 },
  );
});

function byId(one: PlanTask, other: PlanTask): number {
  return one.id < other.id ? -1 : 1;
}
