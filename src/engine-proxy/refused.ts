/** What the proxy does not let pass; the message is one sentence for the operator, without what was sent. */
export class Refused extends Error {
  override name = "Refused";
  readonly status: 400 | 403 | 404 | 413 | 503;

  constructor(reason: string, status: 400 | 403 | 404 | 413 | 503 = 403) {
    super(reason);
    this.status = status;
  }
}
