/** Puts `args` in the place of `{name}` in a text; names without a value stay as they are. */
export function fillText(template: string, args: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(args[name] ?? whole));
}
