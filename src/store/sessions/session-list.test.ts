import { sql } from "kysely";
import { expect, inject, test } from "vitest";
import { z } from "zod";
import { createTestDatabase } from "../../../test/kit/hub/database.ts";
import { fillSessions, filledId } from "../../../test/kit/hub/many-sessions.ts";
import { openDatabase } from "../database.ts";
import type { Db } from "../database.ts";
import { listSessions, listStatement } from "./session-list.ts";
import type { SessionFilter } from "./session-list.ts";

const STORED = 20_000;
const LIMIT = 21;

interface Plan {
  "Relation Name"?: string | undefined;
  "Node Type": string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number | undefined;
  "Rows Removed by Index Recheck"?: number | undefined;
  Plans?: Plan[] | undefined;
}
const Plan: z.ZodType<Plan> = z.looseObject({
  "Relation Name": z.string().optional(),
  "Node Type": z.string(),
  "Actual Rows": z.number(),
  "Actual Loops": z.number(),
  "Rows Removed by Filter": z.number().optional(),
  "Rows Removed by Index Recheck": z.number().optional(),
  Plans: z.array(z.lazy(() => Plan)).optional(),
});
const Explained = z.tuple([z.object({ "QUERY PLAN": z.tuple([z.object({ Plan })]) })]);

/** How many rows of `sessions` were looked at for a page, and how. */
async function looked(db: Db, filter: SessionFilter): Promise<{ rows: number; nodes: string[] }> {
  const { rows } =
    await sql`explain (analyze, costs off, timing off, format json) ${listStatement(filter)}`.execute(
      db,
    );
  const [{ "QUERY PLAN": plans }] = Explained.parse(rows);
  const nodes: string[] = [];
  let count = 0;
  const walk = (plan: Plan): void => {
    nodes.push(plan["Node Type"]);
    const removed =
      (plan["Rows Removed by Filter"] ?? 0) + (plan["Rows Removed by Index Recheck"] ?? 0);
    if (plan["Relation Name"] === "sessions")
      count += (plan["Actual Rows"] + removed) * plan["Actual Loops"];
    for (const below of plan.Plans ?? []) walk(below);
  };
  walk(plans[0].Plan);
  return { rows: Math.round(count), nodes };
}

test("a page of sessions looks at no more rows than it has, whatever is asked for", async () => {
  await using own = await createTestDatabase(inject("databaseServer"));
  await using database = openDatabase({ url: own.url, maxConnections: 2 });
  const { db } = database;
  await fillSessions(db, STORED);
  const page = { limit: LIMIT };
  const before = filledId(STORED / 2);
  const shapes: SessionFilter[] = [
    page,
    { ...page, before },
    { ...page, status: "completed" },
    { ...page, status: "failed", before },
    { ...page, status: "running" },
    { ...page, repository: "octo/big" },
    { ...page, repository: "octo/rare", before },
    { ...page, repository: "octo/unknown" },
    { ...page, repository: "octo/big", status: "failed" },
    { ...page, repository: "octo/rare", status: "failed" },
    { ...page, repository: "octo/rare", status: "running" },
    { ...page, orchestrationId: filledId(0) },
    { ...page, orchestrationId: filledId(0), before },
    { ...page, idPrefix: filledId(5).replaceAll("-", "").slice(0, 31) },
    { ...page, repositories: ["octo/rare"] },
    { ...page, repositories: ["octo/rare", "octo/unknown", "octo/big"], status: "failed" },
    { ...page, repositories: ["octo/rare", "octo/big"], before },
  ];
  for (const shape of shapes) {
    const { rows, nodes } = await looked(db, shape);
    // The page itself, once for each repository, and once more by its ids.
    const most = LIMIT * ((shape.repositories?.length ?? 1) + 2);
    expect([shape, rows <= most ? "few rows" : `${rows} rows by ${nodes.join(", ")}`]).toEqual([
      shape,
      "few rows",
    ]);
    expect([shape, nodes.filter((node) => node === "Seq Scan")]).toEqual([shape, []]);
  }
  const several = await listSessions(db, {
    ...page,
    repositories: ["octo/rare", "octo/big", "octo/unknown"],
  });
  const all = await listSessions(db, page);
  expect(several.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
});
