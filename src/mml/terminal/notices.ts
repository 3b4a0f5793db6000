import { MAX_WAITING_NOTICES } from '../limits.js';

/**
 * Texts that nobody asked for at this moment, such as alarms. They go out while a command line is read, above what is being typed,
 * and wait while a report, a question or a page stands.
 */
export class Notices {
  private waiting: string[] = [];
  private lost = 0;
  private print: ((text: string) => void) | undefined;

  /** `tellLost` says that some were dropped, because too many waited. */
  constructor(private readonly tellLost: (count: number) => string) {}

  /** `text` is whole lines, with their ends. */
  push(text: string): void {
    if (this.print) this.print(text);
    else if (this.waiting.length < MAX_WAITING_NOTICES) this.waiting.push(text);
    else this.lost++;
  }

  /** A command line is being read: what waits goes out now, what comes goes out at once. */
  open(print: (text: string) => void): void {
    const { waiting, lost } = this;
    this.waiting = [];
    this.lost = 0;
    this.print = print;
    if (waiting.length > 0) print(waiting.join('') + (lost > 0 ? this.tellLost(lost) : ''));
  }

  /** The line is read: what comes waits. */
  shut(): void {
    this.print = undefined;
  }
}
