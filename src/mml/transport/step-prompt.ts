import { createInterface } from 'node:readline';
import type { Statement } from '../grammar/statement-splitter.js';
import { maskText } from '../report/mask.js';

/** What an operator says to the next command of a script: run it, leave it out, run it and all that follow, or end. */
export type StepAnswer = 'run' | 'skip' | 'all' | 'quit';

const ANSWERS: Readonly<Record<string, StepAnswer>> = { '': 'run', y: 'run', n: 'skip', a: 'all', q: 'quit' };
const KEYS = '[Y]es, [n]o, [a]ll, [q]uit? ';

/** Asks before each command of a script, on a terminal, until the operator wants the rest without questions. */
export class StepPrompt {
  /** Whether the next command is asked for. */
  isAsking = true;

  constructor(
    private readonly stdin: NodeJS.ReadableStream,
    private readonly output: NodeJS.WritableStream,
  ) {}

  /** Shows a command with its place in the script and waits for an answer. Ctrl-C and Ctrl-D are `quit`. */
  async ask({ text, line }: Statement, number: number, total: number): Promise<StepAnswer> {
    if (!this.isAsking) return 'run';
    this.output.write(`${number}/${total}  line ${line}  ${maskText(text)};\n`);
    for (;;) {
      const answer = ANSWERS[(await this.answer())?.trim().toLowerCase() ?? 'q'];
      if (answer === undefined) continue;
      this.isAsking = answer !== 'all';
      return answer;
    }
  }

  /** One line of the terminal; undefined when there is none. The terminal is ours only while the question stands. */
  private answer(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const reader = createInterface({
        input: this.stdin,
        output: this.output,
        terminal: true,
        historySize: 0,
      });
      reader.once('SIGINT', () => reader.close());
      reader.once('close', () => {
        // Ctrl-C and Ctrl-D leave the cursor behind the question.
        if (!isAnswered) this.output.write('\n');
        resolve(undefined);
      });
      let isAnswered = false;
      reader.question(KEYS, (line) => {
        isAnswered = true;
        resolve(line);
        reader.close();
      });
    });
  }
}
