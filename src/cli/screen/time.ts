const UNITS: [string, number][] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
];

/** A length of time in its largest unit. */
export function duration(ms: number): string {
  const [name, size] = UNITS.find(([, unit]) => ms >= unit) ?? ["s", 1_000];
  return `${Math.floor(Math.max(0, ms) / size)} ${name}`;
}

export function ago(at: string): string {
  return `${duration(Date.now() - Date.parse(at))} ago`;
}

/** As people of this machine read it. */
export function moment(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
}
