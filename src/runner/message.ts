/** What an error says, short enough for a result. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 1_800).toWellFormed();
}
