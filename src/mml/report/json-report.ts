import type { Section } from '../registry/command.js';
import { type Bilingual, inLanguage, type Language } from '../text.js';
import { jsonCell } from './cells.js';
import type { Outcome } from './outcome.js';

/** The report of a command as one JSON object on one line: `SET SESSION: FORMAT=JSON`. */
export function jsonReport(outcome: Outcome, language: Language): string {
  return JSON.stringify({
    serial: outcome.serial,
    time: new Date(outcome.at).toISOString(),
    command: outcome.echo,
    retcode: outcome.retcode,
    message: inLanguage(outcome.sentence, language),
    ...(outcome.live && { part: outcome.live.part, more: outcome.live.more }),
    reports: outcome.sections.map((section) => sectionObject(section, language)),
  });
}

function sectionObject(section: Section, language: Language): object {
  const title = (value: Bilingual) => inLanguage(value, language);
  if (!('report' in section))
    return {
      name: section.name,
      title: title(section.title),
      lines: section.lines.map((line) => (typeof line === 'string' ? line : line.en)),
    };
  const { report, rows, note } = section;
  return {
    name: report.name,
    title: title(report.title),
    count: rows.length,
    rows: rows.map((row) =>
      Object.fromEntries(
        report.columns.map((column) => [column.key, jsonCell(row[column.key], column.format ?? 'plain')]),
      ),
    ),
    ...(note && { note: title(note) }),
  };
}
