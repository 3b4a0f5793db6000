/**
 * Reads CSV (RFC 4180): quoted fields may hold commas, quotes (doubled) and line breaks. Takes CRLF or LF and a byte
 * order mark. Returns rows of fields; empty lines are left out. Throws SyntaxError on a quote that is not closed.
 */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|\r|$)/gy;
  field.lastIndex = text.startsWith('\ufeff') ? 1 : 0;
  while (field.lastIndex < text.length) {
    const line = rows.length + 1;
    const match = field.exec(text);
    if (!match) throw new SyntaxError(`CSV row ${line}: a quote is not closed or stands within a field`);
    row.push(match[1] !== undefined ? match[1].replaceAll('""', '"') : match[2]!);
    if (match[3] === ',' && field.lastIndex < text.length) continue;
    if (match[3] === ',') row.push('');
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  return rows;
}
