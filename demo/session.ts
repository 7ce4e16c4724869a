/** What the demo shows of one session. */
export interface DemoSession {
  name: string;
  id: string;
  status: string;
  error: string | null;
  workBranch: string | null;
  output: { summary: string; nextSteps: string[] };
  tokens: number;
  costUsd: number;
}
