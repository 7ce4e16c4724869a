/** A page of the set-up; nothing in it but text, and perhaps one form with one button. */
export function setupHtml(
  lines: readonly string[],
  form?: { action: string; manifest: string; button: string },
): string {
  const button =
    form === undefined
      ? ""
      : `<form action="${escaped(form.action)}" method="post">
<input type="hidden" name="manifest" value="${escaped(form.manifest)}">
<button>${escaped(form.button)}</button>
</form>
`;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Claude Hub</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }
button { font: inherit; padding: .5rem 1rem }</style></head>
<body><h1>Claude Hub</h1>
${lines.map((line) => `<p>${escaped(line)}</p>`).join("\n")}
${button}</body>
</html>
`;
}

function escaped(text: string): string {
  const named: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replaceAll(/[&<>"]/g, (sign) => named[sign] ?? sign);
}
