import { z } from "zod";
import { amount, choice, from, names, whole } from "./setting.ts";

/** Labels that the bot puts on new issues. */
export const LABEL_SETTINGS = {
  autoLabel: choice(
    "CLAUDE_HUB_AUTO_LABEL",
    "Whether the bot labels new issues, with labels that the repository has; `dry-run` decides, and writes nothing.",
    ["on", "dry-run", "off"],
    { fallback: "on" },
  ),
  autoLabelModel: from(
    "CLAUDE_HUB_AUTO_LABEL_MODEL",
    "Model that chooses labels.",
    z.string().regex(/^[\w.:@/-]{1,300}$/),
    { expected: "the name of a model", fallback: "haiku" },
  ),
  autoLabelConfidence: from(
    "CLAUDE_HUB_AUTO_LABEL_CONFIDENCE",
    "How sure the model has to be of a label.",
    z
      .string()
      .regex(/^\d(\.\d+)?$/)
      .transform(Number)
      .pipe(z.number().min(0).max(1)),
    { expected: "a number from 0 to 1", fallback: "0.6" },
  ),
  autoLabelExclude: names(
    "CLAUDE_HUB_AUTO_LABEL_EXCLUDE",
    "Labels that the bot never chooses, with commas.",
    { fallback: "" },
  ),
  autoLabelPerHour: whole(
    "CLAUDE_HUB_AUTO_LABEL_PER_HOUR",
    "Issues of one repository that the bot labels by itself in one hour; more are left alone.",
    { min: 0, max: 100_000, fallback: "30" },
  ),
  autoLabelMaxCostUsd: amount(
    "CLAUDE_HUB_AUTO_LABEL_MAX_COST_USD",
    "Dollars that the choice for one issue may use, by list prices.",
    { fallback: "0.1" },
  ),
};
