import { array, assert, constantFrom, oneof, property, tuple } from "fast-check";
import type { Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import { sanitise } from "./sanitise.ts";

const SECRET = "push-to-main";

/** Pieces that mean something to a parser of Markdown; nothing of them closes a picture before its end. */
const odd = array(
  oneof(
    constantFrom("\\]", "\\[", "[b]", "[[b] c]", "[b](c)", "![b](c)", '![b](c "d")', "`]`"),
    constantFrom("`[`", "``a`]``", "<http://e.com/]>", "<a href=']'>", "![b [c] d](<e f>)"),
    constantFrom("*b*", "b\nc", "\\\\", "(b)", "&#93;", '"', "'", "x".repeat(1_001)),
  ),
  { maxLength: 6 },
).map((pieces) => pieces.join(" "));
const title = tuple(
  constantFrom('""', "''", "()"),
  constantFrom("", "\\) ", '\\" ', "\\' ", "a\nb "),
).map(([[open, close], text]) => `${open}${text}${SECRET}${"x".repeat(1_001)}${close}`);
const space = constantFrom(" ", "\n", "  \n  ", "\t");
const picture = tuple(odd, odd, constantFrom("u", "<u v>", "u(v(w))", "u\\)", "", "/a\u00a0b")).map(
  ([before, after, address]) => `![${before} ${SECRET} ${after}](${address})`,
);

const HIDING: Record<string, Arbitrary<string>> = {
  "alternative texts": picture,
  "alternative texts within others": picture.map((inner) => `![a ${inner} ${SECRET}](u)`),
  "alternative texts of a link's picture": picture.map((inner) => `[${inner}](u)`),
  "pictures whose address is defined": odd
    .filter((text) => !/[`<]/.test(text))
    .map((text) => `![${text} ${SECRET}][ B\n c]\n\n[b C]: u`),
  "pictures whose address is defined by their text": constantFrom(
    `![${SECRET}]\n\n[${SECRET}]: u`,
    `![${SECRET}][]\n\n> - [${SECRET}]: <u>`,
  ),
  "titles of links": tuple(space, title, space).map(
    ([before, text, after]) => `[a](u${before}${text}${after})`,
  ),
  "titles of pictures": tuple(space, title).map(([before, text]) => `![a](u${before}${text})`),
  definitions: tuple(constantFrom("", "> ", "- ", "  "), space, title).map(
    ([before, between, text]) => `\n\n${before}[a]: u${between}${text}`,
  ),
  "attributes of HTML": tuple(constantFrom("a", "img", "x-y"), constantFrom('"', "'")).map(
    ([name, quote]) => `<${name} b=${quote}a > ](u) ${SECRET}${"x".repeat(5_001)}${quote}>`,
  ),
  "declarations of HTML": constantFrom(`<!x ${SECRET}>`, `<![CDATA[ > ${SECRET} ]]>`),
};
const around = constantFrom("", "a ", "[ ", "] ", "a\n\n", "see [b](c) ", "`d` ", "a\n- ");

test.each(Object.entries(HIDING))("%s are shown to nobody, whatever is in them", (_, hiding) => {
  assert(
    property(around, hiding, (before, text) => {
      expect(sanitise(`${before}${text}`)).not.toContain(SECRET);
    }),
    { numRuns: 300 },
  );
});

test.each([
  "if (![1, 2].includes(a[0])) return b[c](d);",
  "let v = vec![1, 2]; println!(v[0])",
  "see [the docs](https://e.com/a_(b)) and [this][1] or \\![not](a picture)",
  "a < b && c > d; x <= y; 1 <2",
  "[ ] a box, [x] another, [^1] a note",
  "Vec<String>, a<b>c</b>",
])("what people see stays: %s", (text) => {
  expect(sanitise(text)).toBe(text);
});

test("of pictures and links addresses stay", () => {
  expect(sanitise("![a](u \"b\") [c](<d(e> 'f') ![g [h] i](j)")).toBe("![](u) [c](<d(e>) ![](j)");
});

test.each([
  "![",
  "![`",
  "[[]",
  "]",
  "](",
  "](u ",
  '](u "',
  "](u '",
  "](u (",
  "](<",
  "![a](b",
  "![a][b]\n",
  "[a]: u\n",
  "[a\\",
  "> - 1) ",
  "<a ",
  '<a ="',
  '<a "=',
  "<a ='<b =\"",
  "<![CDATA[",
  "<!x",
  "<!--",
  "\\",
  "`",
  "\n",
  "\n \n",
])("a text that is all %j is looked through at once", (part) => {
  // In a time that grows with the square it would take minutes. The bound on what a model is shown is 30,000.
  for (const before of ["", "[b]: u\n\n![b", "x"]) {
    const text = before + part.repeat(30_000 / part.length);
    expect(sanitise(text).length).toBeLessThanOrEqual(30_000 + 20);
  }
});
