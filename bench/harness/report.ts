import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** One figure, and where there is one its reference of the same run. */
export interface Figure {
  readonly part: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly reference?: { readonly name: string; readonly value: number };
}

/** Figures of a run: printed as they come, written as CSV at the end where that is asked for. */
export class Report {
  readonly figures: Figure[] = [];
  private lastPart = '';

  add(figure: Figure): void {
    this.figures.push(figure);
    if (figure.part !== this.lastPart) this.title(figure.part);
    this.lastPart = figure.part;
    const value = shown(figure.value).padStart(10);
    const { reference } = figure;
    const beside =
      reference === undefined
        ? ''
        : `${ratio(figure).toFixed(2).padStart(7)} × ${reference.name} (${shown(reference.value)})`;
    console.log(`  ${figure.what.padEnd(44)} ${value} ${figure.unit.padEnd(9)}${beside}`.trimEnd());
  }

  note(text: string): void {
    console.log(`  ${text}`);
  }

  /** Appends a line for each figure; a new file gets a header line. */
  writeCsv(file: string): void {
    if (!existsSync(file))
      writeFileSync(file, 'commit,time,part,what,value,unit,reference,reference_value,ratio\n');
    const time = new Date().toISOString();
    for (const figure of this.figures) {
      const { part, what, value, unit, reference } = figure;
      const beside = reference ? [reference.name, reference.value, ratio(figure).toFixed(3)] : ['', '', ''];
      appendFileSync(file, `${[commit(), time, part, what, value, unit, ...beside].map(quoted).join(',')}\n`);
    }
  }

  private title(part: string): void {
    console.log(`${this.lastPart === '' ? '' : '\n'}${part}`);
  }
}

/** The machine and the state of the sources, in one line. */
export function environment(): string {
  const [cpu] = cpus();
  return `commit ${commit()}, Node ${process.versions.node}, ${cpus().length} × ${cpu?.model ?? 'unknown processor'}`;
}

function ratio({ value, reference }: Figure): number {
  return reference === undefined ? Number.NaN : value / reference.value;
}

function shown(value: number): string {
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en');
  return value.toFixed(Math.abs(value) < 1 ? 3 : 2);
}

function quoted(value: string | number): string {
  const text = String(value);
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', 'src') === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}
