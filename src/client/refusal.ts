/** What the hub answered instead of what was asked for. */
export class HubRefusal extends Error {
  override name = "HubRefusal";
  readonly status: number;
  readonly detail: string | null;

  constructor(status: number, detail: string | null, more: { cause?: unknown } = {}) {
    super(
      detail === null ? `the hub answered ${status}` : `the hub answered ${status}: ${detail}`,
      more,
    );
    this.status = status;
    this.detail = detail;
  }
}

/** Nobody answers at the hub's address, or somebody who is no hub. */
export class HubAway extends Error {
  override name = "HubAway";
}

const LONGEST = 2_000;

/** The refusal that an answer is; its body is problem details. */
export async function refusalOf(answer: {
  status: number;
  text(): Promise<string>;
}): Promise<HubRefusal> {
  return new HubRefusal(answer.status, detailOf(await answer.text()));
}

function detailOf(text: string): string | null {
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem !== "object" || problem === null || !("detail" in problem)) return null;
    return String(problem.detail).slice(0, LONGEST);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
