// docs/rfc-conformance.md as text: an overview, the lists an integrator judges by, a table for each RFC.
import { bySection } from './citations.mjs';

const HEAD = `# RFC conformance

Which rule of which RFC is obeyed where, and which test proves it. Generated from the sections that source and tests
name (\`RFC 3261 §17.2.1\`) and from [rfc-sections.yaml](rfc-sections.yaml), which holds titles, reasons and the lists
below: edit that, then run \`npm run conformance\`. On a merge conflict in this page take either side and run it again.

Paths are below \`src/\` and \`test/\`. A rule can have many sentences: a row says that the branch which obeys the section
names it, and that a test which fails without that branch names it too.
`;

const EXTENTS = { full: 'full', part: 'in part', none: 'not' };

export function conformancePage(known, { byRfc }) {
  const numbers = Object.keys(known)
    .filter((rfc) => byRfc.has(rfc) || known[rfc].deviations || known[rfc].missing)
    .sort((a, b) => a - b);
  const parts = [
    HEAD,
    overview(known, byRfc, numbers),
    list(
      'Deliberate deviations',
      'What is done otherwise than the RFC says, and why.',
      known,
      numbers,
      'deviations',
    ),
    list(
      'Not implemented',
      'What an RFC of the table offers or asks and this server does not do.',
      known,
      numbers,
      'missing',
    ),
    excuses(known, numbers),
    ...numbers.map((rfc) => table(rfc, known[rfc], byRfc.get(rfc) ?? new Map())),
  ];
  return `${parts.filter((part) => part !== '').join('\n')}`;
}

function overview(known, byRfc, numbers) {
  const isReference = (rfc) => known[rfc].extent === 'reference';
  const name = (rfc) => (hasSections(byRfc, rfc) ? `[RFC ${rfc}](#rfc-${rfc})` : `RFC ${rfc}`);
  const rows = numbers
    .filter((rfc) => !isReference(rfc))
    .map((rfc) => {
      const { title, extent, note } = known[rfc];
      return `| ${name(rfc)} | ${title} | ${EXTENTS[extent] ?? extent} | ${note ?? ''} |`;
    });
  const references = numbers
    .filter(isReference)
    .map((rfc) => `- ${name(rfc)} ${known[rfc].title}${known[rfc].note ? `: ${known[rfc].note}` : ''}`);
  return `## Overview

| RFC | title | obeyed | what of it |
|---|---|---|---|
${rows.join('\n')}

Cited for a definition alone:

${references.join('\n')}
`;
}

function hasSections(byRfc, rfc) {
  return [...(byRfc.get(rfc)?.keys() ?? [])].some((section) => section !== '');
}

function list(title, intro, known, numbers, key) {
  const rows = numbers.flatMap((rfc) =>
    (known[rfc][key] ?? []).map((text) => `- RFC ${rfc}${text.startsWith('§') ? ' ' : ': '}${text}`),
  );
  return rows.length === 0 ? '' : `## ${title}\n\n${intro}\n\n${rows.join('\n')}\n`;
}

function excuses(known, numbers) {
  const rows = numbers.flatMap((rfc) =>
    Object.entries(known[rfc].unproven ?? {})
      .sort(([a], [b]) => bySection(a, b))
      .map(([section, reason]) => `- RFC ${rfc} §${section}: ${reason}`),
  );
  return rows.length === 0 ? '' : `## Obeyed, but not provable by a test of its own\n\n${rows.join('\n')}\n`;
}

function table(rfc, entry, sections) {
  const rows = [...sections.keys()]
    .filter((section) => section !== '')
    .sort(bySection)
    .map((section) => {
      const { source, tests } = sections.get(section);
      const [title, demand] = (entry.sections?.[section] ?? '?').split(' | ');
      const asks = demand ? `${title}: ${demand}` : title;
      return `| §${section} | ${asks} | ${names(source, 'src/')} | ${names(tests, 'test/')} |`;
    });
  if (rows.length === 0) return '';
  return `## RFC ${rfc}

${entry.title}.

| section | title: what it asks | source | tests |
|---|---|---|---|
${rows.join('\n')}
`;
}

/** Paths without what they share: `engine/core/server-core`, `unit/sip/uri`. */
function names(paths, base) {
  return [...paths]
    .map((path) => path.slice(base.length).replace(/(\.test)?\.ts$/, ''))
    .sort()
    .join(', ');
}
