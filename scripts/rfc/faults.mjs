// What is wrong between citations in the source, citations in tests, and docs/rfc-sections.yaml.
const LIST = 'docs/rfc-sections.yaml';

/** Whether the section itself or a part of it is cited on that side. */
function isCited(sections, section, side) {
  for (const [other, cited] of sections)
    if (other !== '' && (other === section || other.startsWith(`${section}.`)) && cited[side].size > 0)
      return true;
  return false;
}

/** Sections without a title, without a test, without source; § signs without an RFC; words on sections nobody cites. */
export function citationFaults(known, { byRfc, orphans }) {
  const faults = orphans.map(
    (place) => `${place}: § without an RFC before it: write RFC and section together, RFC 3261 §17.2.1`,
  );
  for (const [rfc, sections] of byRfc) {
    const entry = known[rfc];
    if (!entry) {
      const [{ source, tests }] = sections.values();
      faults.push(`${[...source, ...tests][0]} names RFC ${rfc}: give it a title and an extent in ${LIST}`);
    } else
      for (const [section, cited] of sections)
        if (section !== '') faults.push(...faultsOfSection(rfc, entry, sections, section, cited));
  }
  return [...faults, ...leftovers(known, byRfc)].sort();
}

function faultsOfSection(rfc, entry, sections, section, { source, tests }) {
  const name = `RFC ${rfc} §${section}`;
  const isExcused = (list) => Object.hasOwn(list ?? {}, section);
  const [first] = [...source, ...tests];
  if (!Object.hasOwn(entry.sections ?? {}, section))
    return [`${first} cites ${name}: no such section is in ${LIST}; add it with its title from the RFC`];
  if (entry.extent === 'reference') return [];
  if (source.size > 0 && !isCited(sections, section, 'tests') && !isExcused(entry.unproven))
    return [
      `${first} cites ${name}, no test does: name it in the test that proves it, or say why none can under unproven in ${LIST}`,
    ];
  if (
    tests.size > 0 &&
    !isCited(sections, section, 'source') &&
    !entry.testsOnly &&
    !isExcused(entry.elsewhere)
  )
    return [
      `${first} proves ${name}, no source does: name it on the branch that obeys it, or say under elsewhere in ${LIST} which rule it comes from`,
    ];
  return [];
}

/** Excuses for sections that need none any more, and words on sections that are not there. */
function leftovers(known, byRfc) {
  const faults = [];
  for (const [rfc, entry] of Object.entries(known)) {
    const sections = byRfc.get(rfc) ?? new Map();
    for (const text of [...(entry.deviations ?? []), ...(entry.missing ?? [])])
      for (const [, section] of text.matchAll(/§([\d.]*\d)/g))
        if (!Object.hasOwn(entry.sections ?? {}, section))
          faults.push(
            `${LIST}: RFC ${rfc} has no §${section}, of which a deviation or what is missing speaks`,
          );
    for (const section of Object.keys(entry.unproven ?? {}))
      if (isCited(sections, section, 'tests') || !isCited(sections, section, 'source'))
        faults.push(
          `${LIST}: RFC ${rfc} §${section} stands under unproven but has a test or no source: remove it there`,
        );
    for (const section of Object.keys(entry.elsewhere ?? {}))
      if (isCited(sections, section, 'source') || !isCited(sections, section, 'tests'))
        faults.push(
          `${LIST}: RFC ${rfc} §${section} stands under elsewhere but has source or no test: remove it there`,
        );
  }
  return faults;
}
