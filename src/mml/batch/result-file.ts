import type { FileHandle } from 'node:fs/promises';
import { errorMessage } from '../../platform/errors.js';
import type { Logger } from '../../platform/logger.js';
import { type ExchangeFiles, fileStamp } from '../exchange-files.js';
import { MAX_RESULT_BYTES } from '../limits.js';

/** Runs of one task that begin within the same second: one digit, so that names sort by time. */
const MAX_SAME_SECOND = 9;

/** Directory of the result files of a task, below DATA_DIR/exchange. */
export const resultDirectory = (task: string): string => `tasks/${task}`;

/** The reports of a run on disk. A disk that refuses is logged once and never ends the run: the operation log has it too. */
export class ResultFile {
  private bytes = 0;
  private isFull = false;

  private constructor(
    /** Below DATA_DIR/exchange; undefined when it could not be made. */
    readonly name: string | undefined,
    private handle: FileHandle | undefined,
    private readonly log: Logger,
  ) {}

  static async create(files: ExchangeFiles, task: string, at: number, log: Logger): Promise<ResultFile> {
    const stem = `${resultDirectory(task)}/${fileStamp(at)}`;
    for (let i = 1; ; i++) {
      const name = i === 1 ? `${stem}.txt` : `${stem}_${i}.txt`;
      try {
        const { handle } = await files.create(name);
        return new ResultFile(name, handle, log);
      } catch (error) {
        if (i < MAX_SAME_SECOND) continue;
        log.warn({ err: errorMessage(error), task }, 'a task runs without a result file');
        return new ResultFile(undefined, undefined, log);
      }
    }
  }

  /** Adds text; what goes beyond MAX_RESULT_BYTES is left out, and the file says so. */
  async write(text: string): Promise<void> {
    if (!this.handle || this.isFull) return;
    const data = Buffer.from(text);
    this.isFull = this.bytes + data.length > MAX_RESULT_BYTES;
    await this.append(
      this.isFull ? Buffer.from(`// more than ${MAX_RESULT_BYTES} bytes: the rest is left out\n`) : data,
    );
  }

  /** Adds the last line, full or not, and closes the file. */
  async end(line: string): Promise<void> {
    await this.append(Buffer.from(line));
    await this.handle?.close().catch(() => undefined);
    this.handle = undefined;
  }

  private async append(data: Buffer): Promise<void> {
    try {
      await this.handle?.writeFile(data);
      this.bytes += data.length;
    } catch (error) {
      this.log.warn(
        { err: errorMessage(error), file: this.name },
        'the result file of a task cannot be written',
      );
      await this.handle?.close().catch(() => undefined);
      this.handle = undefined;
    }
  }
}
