import { z } from "zod";
import { invalidRequest } from "../../core/errors.ts";
import { toolOf } from "../../core/tool.ts";
import type { ToolMaker } from "./tool-maker.ts";

const MAX_LABELS = 5;
const NAMES_TOLD = 50;

const Input = z.strictObject({
  labels: z.array(z.string().trim().min(1).max(100)).min(1).max(MAX_LABELS),
});

/** Puts labels that the repository has on the thread. */
export const addLabels: ToolMaker = ({ repository, thread }) =>
  toolOf({
    name: "add_labels",
    description:
      "Adds labels to the issue or pull request that you were asked on. Only labels that the repository has; once in a session.",
    input: Input,
    limit: 1,
    repeated: "once",
    async run({ labels }) {
      const existing = new Map(
        (await repository.labels()).map(({ name }) => [name.toLowerCase(), name]),
      );
      const unknown = labels.filter((label) => !existing.has(label.toLowerCase()));
      if (unknown.length > 0) {
        const known = [...existing.values()].slice(0, NAMES_TOLD).join(", ");
        throw invalidRequest(
          "labels",
          `the repository has no ${unknown.join(", ")}; it has ${known || "none"}`,
        );
      }
      const names = labels.flatMap((label) => existing.get(label.toLowerCase()) ?? []);
      await repository.addLabels(thread.number, [...new Set(names)]);
      return `Added: ${names.join(", ")}`;
    },
  });
