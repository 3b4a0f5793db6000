/**
 * `given` with `defaults` where it has nothing. Each value is read from `given` when it is asked for: limits that change
 * while running are always those of now.
 */
export function withDefaults<T extends object>(
  defaults: T,
  given: { readonly [K in keyof T]?: T[K] | undefined } = {},
): T {
  const result = {};
  for (const key of new Set([...Object.keys(defaults), ...Object.keys(given)]) as Set<string & keyof T>)
    Object.defineProperty(result, key, { enumerable: true, get: () => given[key] ?? defaults[key] });
  return result as T;
}
