import type { Figure } from "../table.ts";
import { measureFlood } from "./flood.ts";
import { measureIntake } from "./intake.ts";
import { measureMention } from "./mention.ts";

/** The hub as a bot, on a GitHub that runs beside it. */
export async function measureGitHub(): Promise<Figure[]> {
  return [...(await measureIntake()), ...(await measureMention()), ...(await measureFlood())];
}
