import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Licence } from '../mml/services.js';

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string | { readonly type?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** This package and every one that it needs, as installed, by name; optional ones that are not installed are left out. */
export async function installedLicences(): Promise<Licence[]> {
  const found = new Map<string, Licence>();
  const root = rootOf(dirname(fileURLToPath(import.meta.url)));
  if (root !== undefined) await visit(root, found);
  const [own, ...others] = found.values();
  return [...(own ? [own] : []), ...others.sort((a, b) => (a.name < b.name ? -1 : 1))];
}

async function visit(directory: string, found: Map<string, Licence>): Promise<void> {
  if (found.has(directory)) return;
  const manifest = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Manifest;
  const { name = '', version = '', license = '' } = manifest;
  const licence = typeof license === 'string' ? license : (license.type ?? '');
  found.set(directory, { name, version, licence: licence || 'unknown' });
  for (const needed of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    const place = locate(directory, needed);
    if (place !== undefined) await visit(place, found);
  }
}

/** Where Node finds a package from a directory: the nearest `node_modules` above that has it. */
function locate(from: string, name: string): string | undefined {
  for (let directory = from; ; directory = dirname(directory)) {
    const place = join(directory, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return place;
    if (directory === dirname(directory)) return undefined;
  }
}

function rootOf(from: string): string | undefined {
  for (let directory = from; ; directory = dirname(directory)) {
    // Compiled trees may have a package.json of their own that has no name.
    if (existsSync(join(directory, 'node_modules')) && existsSync(join(directory, 'package.json')))
      return directory;
    if (directory === dirname(directory)) return undefined;
  }
}
