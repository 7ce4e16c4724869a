import { expect, test } from "vitest";
import { endOf } from "./text-end.ts";

async function* pieces(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

test("only the end of a text is kept, however it comes", async () => {
  expect(await endOf(pieces("abc", "def"), 10)).toBe("abcdef");
  expect(await endOf(pieces("abc", "def"), 4)).toBe("cdef");
  expect(await endOf(pieces(...Array.from({ length: 1_000 }, (_, n) => `${n} `)), 8)).toBe(
    "998 999 ",
  );
  expect(await endOf(pieces(), 4)).toBe("");
  expect(await endOf(pieces("x".repeat(1_000_000)), 3)).toBe("xxx");
});
