/** A line of output; `lostBytes` of its end were not kept. */
export interface Line {
  text: string;
  lostBytes: number;
}

/**
 * Splits output into lines, whatever it is: what is no UTF-8 becomes U+FFFD, and of a line no more than `maxBytes` is
 * ever held.
 */
export function createLineSplitter(maxBytes: number, onLine: (line: Line) => void) {
  let kept: Buffer[] = [];
  let size = 0;
  let lostBytes = 0;

  function keep(part: Buffer): void {
    const room = maxBytes - size;
    const fitting = part.subarray(0, room);
    if (fitting.length > 0) kept.push(fitting);
    size += fitting.length;
    lostBytes += part.length - fitting.length;
  }

  function end(): void {
    const text = Buffer.concat(kept).toString("utf8").replace(/\r$/, "");
    const line = { text, lostBytes };
    [kept, size, lostBytes] = [[], 0, 0];
    if (text.trim() !== "" || line.lostBytes > 0) onLine(line);
  }

  return {
    write(chunk: Buffer): void {
      let start = 0;
      for (;;) {
        const at = chunk.indexOf(0x0a, start);
        if (at === -1) break;
        keep(chunk.subarray(start, at));
        end();
        start = at + 1;
      }
      keep(chunk.subarray(start));
    },
    /** What stands after the last line break. */
    end(): void {
      if (size > 0 || lostBytes > 0) end();
    },
  };
}
