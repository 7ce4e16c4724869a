/** What the page has by that id. */
export function part<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  return found(document.getElementById(id), kind, id);
}

/** It, if it is what it has to be. */
export function found<Kind extends Element>(
  element: Element | null,
  kind: new () => Kind,
  name: string,
): Kind {
  if (!(element instanceof kind)) throw new Error(`the page has no ${name}`);
  return element;
}
