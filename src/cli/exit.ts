/** What the exit code of every command says; `docs/cli.md` shows it. */
export const EXIT = {
  ok: { code: 0, meaning: "done; what was waited for has completed" },
  failed: {
    code: 1,
    meaning:
      "a session that was waited for has failed or was cancelled, or something else went wrong",
  },
  usage: { code: 2, meaning: "the command line, a file, or what was asked for makes no sense" },
  notFound: { code: 3, meaning: "there is no such session, or an abbreviated id means several" },
  connection: { code: 4, meaning: "no hub, no token, or one that is refused" },
  refused: {
    code: 5,
    meaning: "the hub refuses it as things are now: it has ended, or was started already",
  },
  interrupted: { code: 130, meaning: "interrupted from the keyboard; sessions go on" },
} as const;
export type Exit = keyof typeof EXIT;

/** Ends a command with one sentence for whoever called it. */
export class CommandError extends Error {
  override name = "CommandError";
  readonly exit: Exit;

  constructor(exit: Exit, message: string, more: { cause?: unknown } = {}) {
    super(message, more);
    this.exit = exit;
  }
}
