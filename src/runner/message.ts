/** What an error says, short enough for a result. */
export function messageOf(error: unknown): string {
  return (absentProgram(error) ?? textOf(error)).slice(0, 1_800).toWellFormed();
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Node.js says `spawn claude ENOENT`. */
function absentProgram(error: unknown): string | null {
  const [, program] = /^spawn (.+) ENOENT$/.exec(textOf(error)) ?? [];
  return program === undefined ? null : `there is no program ${program} in the sandbox`;
}
