/** Dollars per million tokens. */
export interface Price {
  input: number;
  output: number;
  cacheRead: number;
  /** Written for five minutes. */
  cacheWrite: number;
  /** Written for an hour. */
  cacheWriteHour: number;
}

/** A price for every model whose name contains `model`; the first that fits counts. */
export interface PriceRule {
  model: string;
  price: Price;
}

export interface TokenCounts {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  /** All cache writes, those for an hour included. */
  cacheWriteTokens: number;
  cacheWriteHourTokens: number;
}

/**
 * List prices by family, from https://platform.claude.com/docs/en/about-claude/pricing as it stood in autumn 2026.
 * They are an estimate for budgets and reports, never a bill: discounts, batches and long-context rates are not known
 * here, and prices change. A deployment puts its own rules in front of these. Where a family's members differ, the
 * dearer one in use counts, so that a budget errs on the safe side.
 */
export const LIST_PRICES: readonly PriceRule[] = [
  { model: "opus-4-1", price: price(15, 75) },
  { model: "opus-4-0", price: price(15, 75) },
  { model: "opus-4-2025", price: price(15, 75) },
  { model: "3-opus", price: price(15, 75) },
  { model: "opus", price: price(5, 25) },
  { model: "sonnet", price: price(3, 15) },
  { model: "haiku", price: price(1, 5) },
  { model: "fable", price: price(10, 50) },
  { model: "mythos", price: price(10, 50) },
];

/** The first rule that fits; a model that none knows costs what the dearest does. */
export function priceOf(model: string, rules: readonly PriceRule[] = LIST_PRICES): Price {
  const found = rules.find((rule) => model.toLowerCase().includes(rule.model.toLowerCase()));
  if (found !== undefined) return found.price;
  const dearest = (key: keyof Price) => Math.max(...rules.map((rule) => rule.price[key]));
  return {
    input: dearest("input"),
    output: dearest("output"),
    cacheRead: dearest("cacheRead"),
    cacheWrite: dearest("cacheWrite"),
    cacheWriteHour: dearest("cacheWriteHour"),
  };
}

export function costUsd(counts: TokenCounts, at: Price): number {
  const fiveMinutes = Math.max(0, counts.cacheWriteTokens - counts.cacheWriteHourTokens);
  return (
    (counts.inputTokens * at.input +
      counts.outputTokens * at.output +
      counts.cacheReadTokens * at.cacheRead +
      fiveMinutes * at.cacheWrite +
      counts.cacheWriteHourTokens * at.cacheWriteHour) /
    1_000_000
  );
}

/** The usual multiples of the input price; same source. */
function price(input: number, output: number): Price {
  return {
    input,
    output,
    cacheRead: input * 0.1,
    cacheWrite: input * 1.25,
    cacheWriteHour: input * 2,
  };
}
