import { z } from "zod";

const UNITS: Record<string, number> = { k: 1_024, m: 1_048_576, g: 1_073_741_824 };

/** Bytes as the older system's clients write them: a number, or one with `k`, `m` or `g` for powers of 1,024. */
export function parseSize(value: string): number {
  return Number.parseInt(value, 10) * (UNITS[value.at(-1)?.toLowerCase() ?? ""] ?? 1);
}

/** What one session asks for in place of the usual limits of its sandbox. */
export const SessionLimits = z.strictObject({
  /** At least 64 MB, which the runner alone may take. */
  memory: z
    .string()
    .regex(/^\d{1,12}[kmg]?$/i, "must be a number of bytes, such as 512m or 4g")
    .refine((value) => parseSize(value) >= 64 * 1_048_576, "must be at least 64m")
    .optional(),
  cpuShares: z.int().min(2).max(262_144).optional(),
  pidsLimit: z.int().min(16).max(1_000_000).optional(),
});
export type SessionLimits = z.infer<typeof SessionLimits>;
