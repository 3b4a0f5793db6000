// Finds mentions of RFCs in the source: `RFC 3261 §17.2.1`, `RFC 3261 §8.1.1, §7.3.1`, `RFC 854`.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const MENTION = /RFC\s+(\d+)((?:(?:[,;]| and|)\s+§[\d.]*\d)*)/g;
const SECTION = /§([\d.]*\d)/g;

/** All files below `dir` that `wanted` takes, with the contents; none when there is no such folder. */
function files(dir, wanted) {
  let entries = [];
  try {
    entries = readdirSync(dir, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) return files(path, wanted);
      return wanted(entry.name) ? [{ path, text: readFileSync(path, 'utf8') }] : [];
    });
}

/** A comment's text flows on over its line ends; offsets stay as they are. */
function unwrapped(text) {
  return text.replace(/\n[ \t]*(?:\*(?!\/)|\/\/)/g, (end) => ' '.repeat(end.length));
}

/** Mentions of one text, as `{ rfc, section }` with '' for an RFC as a whole; and the offsets of § without an RFC. */
export function mentionsIn(text) {
  const flat = unwrapped(text);
  const found = [];
  const owned = new Set();
  for (const mention of flat.matchAll(MENTION)) {
    const sections = [...mention[2].matchAll(SECTION)];
    for (const { 1: section, index } of sections) {
      found.push({ rfc: mention[1], section });
      owned.add(mention.index + mention[0].length - mention[2].length + index);
    }
    if (sections.length === 0) found.push({ rfc: mention[1], section: '' });
  }
  const orphans = [...flat.matchAll(/§/g)].map(({ index }) => index).filter((index) => !owned.has(index));
  return { found, orphans };
}

/** `byRfc`: number → section → { source, tests }, sets of paths; `orphans`: `path:line` of § signs without an RFC. */
export function readCitations(root) {
  const byRfc = new Map();
  const orphans = [];
  const take = (side, { path, text }) => {
    const name = relative(root, path);
    const mentions = mentionsIn(text);
    for (const { rfc, section } of mentions.found) {
      const sections = byRfc.get(rfc) ?? byRfc.set(rfc, new Map()).get(rfc);
      const cited = sections.get(section) ?? { source: new Set(), tests: new Set() };
      sections.set(section, cited);
      cited[side].add(name);
    }
    for (const at of mentions.orphans) orphans.push(`${name}:${text.slice(0, at).split('\n').length}`);
  };
  for (const file of files(join(root, 'src'), (name) => name.endsWith('.ts'))) take('source', file);
  for (const file of files(join(root, 'test'), (name) => name.endsWith('.test.ts'))) take('tests', file);
  return { byRfc, orphans };
}

/** Order of section numbers: 8.2 before 8.10. */
export function bySection(a, b) {
  return a.localeCompare(b, 'en', { numeric: true });
}
