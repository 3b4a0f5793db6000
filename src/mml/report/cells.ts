import type { CellFormat, CellValue, Column } from '../registry/command.js';
import { inLanguage, type Language } from '../text.js';
import { printable } from './printable.js';

/** Shown where a value is unknown or never happened. */
export const ABSENT = '-';

/** A cell as printed in a text report. */
export function formatCell(
  value: CellValue,
  { format, words, width }: Pick<Column, 'format' | 'words' | 'width'>,
  language: Language,
): string {
  if (value === undefined || value === '') return ABSENT;
  if (typeof value === 'boolean') return yesNo(value, language);
  if (typeof value === 'object') return printable(inLanguage(value, language));
  if (typeof value === 'string') {
    const word = words !== undefined && Object.hasOwn(words, value) ? words[value] : undefined;
    return word ? inLanguage(word, language) : printable(value);
  }
  switch (format ?? 'plain') {
    case 'bar':
      return bar(value, width ?? DEFAULT_BAR);
    case 'time':
      return localTime(value);
    case 'date':
      return localTime(value).slice(0, 10);
    case 'seconds':
      return `${value} s`;
    case 'milliseconds':
      return `${Math.round(value * 10) / 10} ms`;
    case 'bytes':
      return formatBytes(value);
    case 'percent':
      return `${(value * 100).toFixed(1)} %`;
    case 'plain':
    case 'yesno':
      return String(value);
  }
}

/** A cell in JSON: raw, but times are ISO 8601 in UTC. */
export function jsonCell(value: CellValue, format: CellFormat): string | number | boolean | undefined {
  if (typeof value === 'object') return value.en;
  const isTime = typeof value === 'number' && (format === 'time' || format === 'date');
  return isTime ? new Date(value).toISOString() : value;
}

const DEFAULT_BAR = 20;
const MIN_BAR = 10;
const MAX_BAR = 60;

/** `[####................]  20.0 %`. */
function bar(share: number, width: number): string {
  const length = Math.min(MAX_BAR, Math.max(MIN_BAR, Math.floor(width)));
  const filled = Math.round(Math.min(1, Math.max(0, share)) * length);
  return `[${'#'.repeat(filled)}${'.'.repeat(length - filled)}] ${`${(share * 100).toFixed(1)} %`.padStart(7)}`;
}

const pad = (value: number, width = 2) => String(value).padStart(width, '0');

/** Wall milliseconds in the server's zone: `2026-11-20 12:00:00+08:00`. */
export function localTime(wallMs: number): string {
  const at = new Date(wallMs);
  const offset = -at.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
  const date = `${pad(at.getFullYear(), 4)}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${date} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}${zone}`;
}

function yesNo(value: boolean, language: Language): string {
  if (language === 'ZH') return value ? '是' : '否';
  return value ? 'YES' : 'NO';
}

function formatBytes(value: number): string {
  if (value < 1024) return `${value} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length, Math.floor(Math.log2(value) / 10));
  return `${(value / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}
