import { errorMessage } from '../../platform/errors.js';
import type { RunProgress, TaskJob, TaskOwner, TaskRunner } from '../../tasks/types.js';
import { MmlError } from '../errors.js';
import type { ExchangeFiles } from '../exchange-files.js';
import { type Statement, splitStatements } from '../grammar/statement-splitter.js';
import { localTime } from '../report/cells.js';
import { jsonReport } from '../report/json-report.js';
import type { Outcome } from '../report/outcome.js';
import { textReport } from '../report/text-report.js';
import type { ConsoleCore } from '../session/console-core.js';
import type { SessionState } from '../session/session-state.js';
import { ownerOf, type SessionOwner } from '../session/session-table.js';
import { checkScript } from './check-script.js';
import { ResultFile, resultDirectory } from './result-file.js';

/**
 * Runs the script of a task as its owner may run it now: in a session of its own, checked as a whole first, each command in the
 * operation log, the reports in a result file.
 */
export class BatchRunner implements TaskRunner {
  private readonly files: ExchangeFiles;

  constructor(private readonly core: ConsoleCore) {
    this.files = core.files;
  }

  async run(job: TaskJob, signal: AbortSignal): Promise<RunProgress> {
    const { core } = this;
    const file = await ResultFile.create(this.files, job.task, core.clock.now(), core.log);
    const named = file.name === undefined ? {} : { file: file.name };
    const total = splitStatements(job.script, 'script').length;
    const begun: RunProgress = { total, done: 0, failed: 0, ...named };
    job.onProgress(begun);
    await file.write(`// task ${job.task} as ${job.owner.name}, ${localTime(core.clock.now())}\n`);
    try {
      const owner = await this.sessionOwner(job.task, job.owner);
      const progress = owner
        ? await this.runAs(owner, job, file, begun, signal)
        : await refuse(file, begun, 0, new MmlError(3009, { name: job.owner.name }));
      const { done, failed } = progress;
      await file.end(
        `// ${done} of ${progress.total} commands run, ${failed} failed, ${localTime(core.clock.now())}\n`,
      );
      return progress;
    } catch (error) {
      await file.end(`// could not be run: ${errorMessage(error)}, ${localTime(core.clock.now())}\n`);
      throw error;
    }
  }

  prune(task: string, keep: number): Promise<void> {
    return this.files.prune(resultDirectory(task), keep);
  }

  /** Who the task runs as, with the rights of this moment; undefined when it is no more. */
  private async sessionOwner(task: string, owner: TaskOwner): Promise<SessionOwner | undefined> {
    const where = { address: `task:${task}`, transport: 'task' } as const;
    if (owner.isLocal) return { operator: owner.name, role: 'ADMIN', grants: [], ...where };
    const operator = await this.core.services.operators.present(owner.name);
    // Somebody of the same name who came later is somebody else.
    if (!operator || operator.createdAt !== owner.since) return undefined;
    // The age of a password is about logging in; nobody logs in here.
    return ownerOf({ ...operator, passwordExpired: false }, where);
  }

  private async runAs(
    owner: SessionOwner,
    job: TaskJob,
    file: ResultFile,
    begun: RunProgress,
    outer: AbortSignal,
  ): Promise<RunProgress> {
    const { core } = this;
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    outer.addEventListener('abort', abort, { once: true });
    if (outer.aborted) abort();
    const session = core.sessions.add(owner, abort);
    try {
      const check = (command: string) => core.executor.check(command, session);
      const { statements, faults } = checkScript(job.script, core.registry, check);
      let progress = begun;
      for (const { line, error } of faults) progress = await refuse(file, progress, line, error);
      if (faults.length > 0) return progress;
      return await this.runAll(statements, session, job, file, progress, controller.signal);
    } finally {
      outer.removeEventListener('abort', abort);
      core.sessions.remove(session.id);
    }
  }

  private async runAll(
    statements: readonly Statement[],
    session: SessionState,
    job: TaskJob,
    file: ResultFile,
    begun: RunProgress,
    signal: AbortSignal,
  ): Promise<RunProgress> {
    let progress = begun;
    for (const { text: command, line } of statements) {
      if (signal.aborted) return progress;
      job.onProgress({ ...progress, line: progress.line ?? line });
      session.lastInputAt = this.core.clock.now();
      const outcome = await this.core.executor.run(command, session, { signal });
      const { retcode } = outcome;
      await file.write(
        `// ${progress.done + 1}/${progress.total}  line ${line}\n${this.report(outcome, session)}\n`,
      );
      // What was broken off is not done, be it the last one.
      if (signal.aborted && retcode !== 0) return progress;
      const isFailure = retcode !== 0;
      progress = { ...progress, done: progress.done + 1, failed: progress.failed + (isFailure ? 1 : 0) };
      if (isFailure && progress.line === undefined) progress = { ...progress, line, retcode };
      if (outcome.endSession) return { ...progress, total: progress.done };
      if (isFailure && job.onError === 'STOP') return progress;
    }
    return progress;
  }

  private report(outcome: Outcome, { format, language }: SessionState): string {
    if (format === 'JSON') return jsonReport(outcome, language);
    return `${textReport(outcome, this.core.product, language).join('\n')}\n`;
  }
}

/** Notes a fault for which nothing is run; the first one stands in the run. */
async function refuse(
  file: ResultFile,
  progress: RunProgress,
  line: number,
  error: MmlError,
): Promise<RunProgress> {
  const { retcode, sentence } = error;
  const where = line > 0 ? `line ${line}: ` : '';
  await file.write(`// ${where}RETCODE = ${retcode}  ${sentence.en}\n`);
  const failed = progress.failed + 1;
  return progress.failed > 0
    ? { ...progress, failed }
    : { ...progress, failed, retcode, ...(line > 0 && { line }) };
}
