/** A part of the screen that is written over again and again; where there is no terminal, what has changed. */
export interface Screen extends Disposable {
  show(text: string): void;
}

export function createScreen(out: NodeJS.WriteStream = process.stdout): Screen {
  let shown = "";
  return {
    show(text) {
      if (text === shown) return;
      if (out.isTTY) {
        const cut = fitting(text, out);
        const up = shown === "" ? "" : `\u001b[${shown.split("\n").length - 1}A\r\u001b[J`;
        out.write(`${up}${cut}`);
        shown = cut;
      } else {
        out.write(shown === "" ? text : `\n${text}`);
        shown = text;
      }
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** More lines than the terminal has could not be written over. */
function fitting(text: string, { rows }: NodeJS.WriteStream): string {
  const lines = text.trimEnd().split("\n");
  const most = Math.max(5, rows - 1);
  if (lines.length < most) return `${lines.join("\n")}\n`;
  return `${lines.slice(0, most - 1).join("\n")}\n… ${lines.length - most + 1} more\n`;
}
