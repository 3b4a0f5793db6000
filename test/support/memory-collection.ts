import type { Collection, Json } from '../../src/store/types.js';

/** A collection in memory, for what is not about the Store. */
export function memoryCollection(): Collection {
  const entries = new Map<string, Json>();
  return {
    get: async (key) => entries.get(key),
    put: async (key, value, mode) => {
      if (mode && (mode === 'create') === entries.has(key)) return false;
      entries.set(key, value);
      return true;
    },
    remove: async (key) => entries.delete(key),
    list: async ({ prefix = '', after = '', limit = 100 } = {}) =>
      [...entries]
        .map(([key, value]) => ({ key, value }))
        .filter(({ key }) => key.startsWith(prefix) && key > after)
        .sort((x, y) => (x.key < y.key ? -1 : 1))
        .slice(0, limit),
    count: async () => entries.size,
  };
}
