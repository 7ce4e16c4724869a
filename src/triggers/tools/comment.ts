import { z } from "zod";
import { invalidRequest } from "../../core/errors.ts";
import { toolOf } from "../../core/tool.ts";
import { TEXT_CHARS, toForge } from "./to-forge.ts";
import type { ToolMaker } from "./tool-maker.ts";

const Input = z.strictObject({
  body: z.string().min(1).max(65_536).describe("Markdown"),
});

/** Says something where the question was asked. */
export const comment: ToolMaker = ({ repository, thread, redact }) =>
  toolOf({
    name: "comment",
    description:
      "Writes a comment on the issue or pull request that you were asked on. Your final summary is shown there anyway: comment only what people must know beside it. Names and #numbers in it call nobody.",
    input: Input,
    limit: 3,
    repeated: "once",
    async run({ body }, { key }) {
      const text = toForge({ redact }, body, TEXT_CHARS);
      if (text === "") throw invalidRequest("body", "nothing is left of it to be said");
      const { source, number } = thread;
      const place = source.kind === "lineComment" ? { inReplyTo: source.firstId } : {};
      const { url } = await repository.say(key, { number, ...place }, text);
      return `It is written: ${url}`;
    },
  });
