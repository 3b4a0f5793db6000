/** One command as written, without comments, and the line it began on (from 1). */
export interface Statement {
  readonly text: string;
  readonly line: number;
  /** Whether a `;` closed it. */
  readonly terminated: boolean;
  /** Whether it ended inside a quoted string. */
  readonly openQuote: boolean;
}

const isSpace = (char: string | undefined): boolean => char === ' ' || char === '\t';

/**
 * Divides text into commands at `;` outside quotes and drops `//` comments. In `line` mode a line end closes a command
 * too; in `script` mode a command goes on to its `;`, unless the whole script has none: then each line is a command.
 */
export function splitStatements(source: string, mode: 'line' | 'script'): Statement[] {
  const all = scan(source, mode === 'script');
  const hasTerminator = all.some((statement) => statement.terminated);
  return mode === 'script' && !hasTerminator ? scan(source, false) : all;
}

/** Whether a line is to be continued by the next one: it ends in a comma or a colon, outside quotes and comments. */
export function isContinued(line: string): boolean {
  const last = splitStatements(line, 'line').at(-1);
  return last !== undefined && !last.terminated && !last.openQuote && /[,:]$/.test(last.text);
}

function scan(source: string, acrossLines: boolean): Statement[] {
  const statements: Statement[] = [];
  let current = '';
  let line = 1;
  let startLine = 1;
  let inQuotes = false;
  let isBlank = true;

  const finish = (terminated: boolean) => {
    if (!isBlank) {
      statements.push({ text: current.trim(), line: startLine, terminated, openQuote: inQuotes });
    }
    current = '';
    inQuotes = false;
    isBlank = true;
  };

  for (let i = 0; i < source.length; i++) {
    const char = source[i]!;
    if (char === '\n') {
      // No string goes over a line end; the parser reports the one that tried.
      if (inQuotes) current += '\n';
      else current += ' ';
      inQuotes = false;
      if (!acrossLines) finish(false);
      line++;
    } else if (inQuotes) {
      current += char;
      if (char === '\\' && i + 1 < source.length && source[i + 1] !== '\n') current += source[++i];
      else if (char === '"') inQuotes = false;
    } else if (char === '/' && source[i + 1] === '/' && atBoundary(source[i - 1])) {
      while (i + 1 < source.length && source[i + 1] !== '\n') i++;
    } else if (char === ';') {
      finish(true);
    } else if (char !== '\r') {
      if (isBlank && !isSpace(char)) {
        isBlank = false;
        startLine = line;
      }
      if (char === '"') inQuotes = true;
      current += char;
    }
  }
  finish(false);
  return statements;
}

/** A comment begins a line or follows white space or a separator, so that `URI=http://host` is no comment. */
function atBoundary(before: string | undefined): boolean {
  return before === undefined || isSpace(before) || before === '\n' || before === ';' || before === ',';
}
