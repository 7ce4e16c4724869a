import { assert, nat, array, property } from "fast-check";
import { expect, test } from "vitest";
import { shortIds } from "./table.ts";
import { tree } from "./tree.ts";

const node = (id: string, ...after: string[]) => ({ id, after, text: id });
const name = (id: string) => id;

test("each stands below the last of those that it comes after; the others are named", () => {
  const nodes = [
    node("core"),
    node("api", "core"),
    node("cli", "core", "elsewhere"),
    node("docs", "core", "api", "cli"),
    node("alone"),
  ];
  expect(tree(nodes, name)).toBe(`core
├─ api
│  └─ docs  (after core, cli)
└─ cli  (after elsewhere)
alone
`);
  expect(tree([], name)).toBe("");
});

test("whatever comes after whatever, each is drawn once, and depth has an end", () => {
  assert(
    property(array(array(nat(), { maxLength: 4 }), { maxLength: 60 }), (lists) => {
      const nodes = lists.map((after, index) => ({
        ...node(`n${index}.`),
        after: index === 0 ? [] : [...new Set(after.map((one) => `n${one % index}.`))],
      }));
      const lines = tree(nodes, name).split("\n").slice(0, -1);
      const drawn = lines.map((line) => /n\d+\./.exec(line)?.[0]);
      expect(drawn).toHaveLength(nodes.length);
      expect(new Set(drawn)).toEqual(new Set(nodes.map(({ id }) => id)));
      for (const line of lines) expect(line.search(/n\d/)).toBeLessThan(45);
    }),
  );
});

test("ids are as short as tells them apart", () => {
  const ids = ["019ac0de-1111-7000-8000-000000000000", "019ac0de-1111-7000-8000-100000000000"];
  expect(ids.map(shortIds(ids))).toEqual([
    "019ac0de-1111-7000-8000-0",
    "019ac0de-1111-7000-8000-1",
  ]);
  expect(ids.slice(1).map(shortIds(ids.slice(1)))).toEqual(["019ac0de"]);
});
