/** What is to go wrong, with which requests. */
export interface FaultSettings {
  method?: string | readonly string[];
  /** A route as GitHub's description has it, an exact path, or a pattern for paths (those of git begin with `/owner/name.git`). */
  path?: string | RegExp;
  /** How often; without it until `clear()`. */
  times?: number;
  /** Lets so many pass before. */
  after?: number;
  /** Answers this. 403 and 429 with `retryAfter` are GitHub's secondary limit. */
  status?: number;
  message?: string;
  headers?: Record<string, string>;
  retryAfter?: number;
  delayMs?: number;
  /** Cuts the connection instead of answering. */
  reset?: boolean;
  /** Does first what was asked, and only then goes wrong: the answer is lost, the effect is not. */
  applied?: boolean;
  /** Done before it goes wrong, and after what was asked has been done. */
  meanwhile?: () => Promise<void>;
}

export interface Fault {
  settings: FaultSettings;
  /** How often it has struck. */
  hits: number;
  clear(): void;
}

export interface Faults {
  add(settings: FaultSettings): Fault;
  /** The fault that strikes this request; counts it. */
  strike(method: string, path: string, route: string | null): Fault | null;
}

export function createFaults(): Faults {
  const faults: Array<Fault & { seen: number }> = [];
  return {
    add(settings) {
      const fault = {
        settings,
        hits: 0,
        seen: 0,
        clear() {
          const index = faults.indexOf(fault);
          if (index >= 0) faults.splice(index, 1);
        },
      };
      faults.push(fault);
      return fault;
    },
    strike(method, path, route) {
      for (const fault of faults) {
        const { settings } = fault;
        if (!isMeant(settings.method, method)) continue;
        if (!matches(settings.path, path, route)) continue;
        fault.seen += 1;
        if (fault.seen <= (settings.after ?? 0)) continue;
        if (fault.hits >= (settings.times ?? Infinity)) continue;
        fault.hits += 1;
        return fault;
      }
      return null;
    },
  };
}

function isMeant(wanted: FaultSettings["method"], method: string): boolean {
  return (
    wanted === undefined ||
    (typeof wanted === "string" ? wanted === method : wanted.includes(method))
  );
}

function matches(wanted: FaultSettings["path"], path: string, route: string | null): boolean {
  if (wanted === undefined) return true;
  if (typeof wanted === "string") return wanted === path || wanted === route;
  return wanted.test(path);
}
