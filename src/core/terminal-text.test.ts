import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { terminalLine, terminalText } from "./terminal-text.ts";

test("nothing that steers a terminal comes through; lines and letters do", () => {
  expect(terminalText("a\u001b[31mb\u009bc\r\n\tü 漢 👩‍👩‍👧\u202e!\u0007")).toBe("a[31mbc\n\tü 漢 👩‍👩‍👧!");
  assert(
    property(string({ unit: "binary" }), (text) => {
      expect(terminalText(text)).not.toMatch(/[^\P{Cc}\n\t]/u);
    }),
  );
});

test("a line is cut between letters", () => {
  expect(terminalLine("one\n  two", 20)).toBe("one two");
  expect(terminalLine("👍👍👍👍", 3)).toBe("👍👍…");
  assert(
    property(string({ unit: "binary" }), (text) => {
      const line = terminalLine(text, 8);
      expect(line).not.toContain("\n");
      expect(Array.from(line).length).toBeLessThanOrEqual(8);
    }),
  );
});
