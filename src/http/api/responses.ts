import type { z } from "zod";
import { Problem } from "./problem.ts";

export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  content: { "application/json": { schema } },
  description,
});

export const problem = (description: string) => ({
  content: { "application/problem+json": { schema: Problem } },
  description,
});

export const PROBLEMS = {
  400: problem("The request does not fit"),
  401: problem("No token, or a wrong one"),
  403: problem("The token is not good for this"),
  503: problem("The database cannot be reached; try again"),
};
