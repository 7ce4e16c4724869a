/** Text of others for a terminal: what could steer it, or turn the direction of writing, is taken out; lines stay. */
export function terminalText(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, "");
}

/** The same on one line, which is cut to so many characters. */
export function terminalLine(text: string, max: number): string {
  const flat = terminalText(text).replaceAll(/\s+/gu, " ").trim();
  const letters = Array.from(flat);
  return letters.length <= max ? flat : `${letters.slice(0, Math.max(0, max - 1)).join("")}…`;
}
