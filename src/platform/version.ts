import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Name and version of this package, from the nearest package.json above this file. */
export function packageVersion(): string {
  for (let dir = dirname(fileURLToPath(import.meta.url)); ; dir = dirname(dir)) {
    try {
      const found = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (found.name === 'ims-b2bua') return found.version ?? '0.0.0';
    } catch {
      // No package.json here; look one level up.
    }
    if (dir === dirname(dir)) return '0.0.0';
  }
}
