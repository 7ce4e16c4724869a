/** A part of the screen that is written over again and again; where there is no terminal, what has changed. */
export interface Screen {
  show(text: string): void;
  /** Takes it away; what was written where there is no terminal stays. */
  clear(): void;
}

export function createScreen(out: NodeJS.WriteStream = process.stdout): Screen {
  let shown = "";
  const back = () => (shown === "" ? "" : `\u001b[${shown.split("\n").length - 1}A\r\u001b[J`);
  return {
    show(text) {
      const next = out.isTTY ? fitting(text, out) : text;
      if (next === shown) return;
      if (out.isTTY) out.write(`${back()}${next}`);
      else out.write(shown === "" ? next : `\n${next}`);
      shown = next;
    },
    clear() {
      if (out.isTTY) out.write(back());
      shown = "";
    },
  };
}

/** More lines than the terminal has could not be written over. */
function fitting(text: string, { rows }: NodeJS.WriteStream): string {
  const lines = text.trimEnd().split("\n");
  const most = Math.max(5, rows - 1);
  if (lines.length < most) return `${lines.join("\n")}\n`;
  return `${lines.slice(0, most - 1).join("\n")}\n… ${lines.length - most + 1} more\n`;
}
