import type { Clock } from '../../platform/clock.js';
import { AppError } from '../../platform/errors.js';
import type { Logger } from '../../platform/logger.js';
import { MmlError, retcodeText } from '../errors.js';
import { parseCommand } from '../grammar/command-parser.js';
import { COMMAND_TIMEOUT_MS } from '../limits.js';
import { bindParams } from '../registry/bind-params.js';
import type { Command, CommandContext, CommandResult, ParamSpec } from '../registry/command.js';
import { helpAt } from '../registry/help.js';
import type { LiveReport } from '../registry/live-report.js';
import type { Resolved } from '../registry/registry.js';
import { mayRun } from '../registry/roles.js';
import { watchReport, watchSeconds } from '../registry/watch.js';
import { maskCommand, maskText } from '../report/mask.js';
import type { Outcome } from '../report/outcome.js';
import type { Services } from '../services.js';
import { type Bilingual, text } from '../text.js';
import { completed, confirm } from './ask-operator.js';
import { helpQuestion, subjectOf } from './command-facts.js';
import { toMmlError } from './error-mapping.js';
import { LiveRunner } from './live-runner.js';
import type { OperationLog } from './operation-log.js';
import type { ConsoleControl, SessionState } from './session-state.js';

/** How one command is to be run. */
export interface RunOptions {
  /** Asks a yes-or-no question on a terminal; absent in scripts, which need CONFIRM=YES. */
  readonly ask?: (question: Bilingual) => Promise<boolean>;
  /** Asks for the value of a required parameter on a terminal; undefined when the operator gives none. */
  readonly prompt?: (name: string, spec: ParamSpec) => Promise<string | undefined>;
  /** Ctrl-C, end of session. */
  readonly signal?: AbortSignal;
  /**
   * Prints one part of a report that goes on (`outcome.live`); resolves when the client has read it. What ends the report
   * is the outcome of the run. Absent where nobody can end a report: such commands are refused.
   */
  readonly print?: (part: Outcome) => Promise<void>;
}

export interface ExecutorParts {
  readonly services: Services;
  readonly console: ConsoleControl;
  readonly clock: Clock;
  readonly log: Logger;
  readonly operations: OperationLog;
}

/** What may be run while a password has to be changed. */
const WITH_OLD_PASSWORD = new Set(['SET PASSWORD', 'HLP', 'LGO']);

/** Runs commands: parse, resolve, permit, bind, confirm, handle, report, log. The same for every way in. */
export class CommandExecutor {
  private serial = 0;
  private readonly live = new LiveRunner();

  constructor(private readonly parts: ExecutorParts) {}

  /** Runs one command as written. Never rejects: whatever goes wrong is in the outcome. */
  async run(source: string, session: SessionState, options: RunOptions = {}): Promise<Outcome> {
    const { clock } = this.parts;
    const base = { serial: ++this.serial, at: clock.now() };
    const started = clock.monotonic();
    let echo = maskText(source);
    let subject = '';
    let outcome: Outcome;
    try {
      const asked = helpQuestion(source);
      if (asked !== undefined) return this.help(asked, session, { ...base, echo });
      const written = this.parts.console.registry.resolve(parseCommand(source));
      echo = maskCommand(written.command, written.params);
      const resolved = await completed(written, session, options);
      echo = maskCommand(resolved.command, resolved.params);
      session.lastCommand = echo;
      subject = subjectOf(resolved);
      const result = await this.perform(resolved, session, options);
      outcome = result.live
        ? await this.goOn(result.live, resolved.command, session, { serial: base.serial, echo }, options)
        : { ...base, echo, retcode: 0, sentence: success(result), ...pick(result) };
    } catch (error) {
      const failure = this.failure(error, base.serial, echo, subject);
      const { retcode, sentence } = failure;
      outcome = { ...base, echo, retcode, sentence, sections: [], endSession: false };
    }
    this.record(session, outcome, clock.monotonic() - started);
    return outcome;
  }

  /** What is wrong with a command as far as can be told without running it; undefined when nothing is. */
  check(source: string, session: SessionState): MmlError | undefined {
    try {
      const { command, params } = this.parts.console.registry.resolve(parseCommand(source));
      this.permit(command, session);
      const { confirmed } = bindParams(command, params, { now: this.parts.clock.now() });
      return command.dangerous && !confirmed ? new MmlError(3003) : undefined;
    } catch (error) {
      return toMmlError(error, this.serial);
    }
  }

  /** An outcome for input that never became a command, such as a line that is too long. */
  refuse(error: MmlError, echo: string, session: SessionState): Outcome {
    const { retcode, sentence } = error;
    const at = this.parts.clock.now();
    const outcome: Outcome = {
      serial: ++this.serial,
      at,
      echo,
      retcode,
      sentence,
      sections: [],
      endSession: false,
    };
    this.record(session, outcome, 0);
    return outcome;
  }

  /** `ADD USER ?` where there are no keys to press: help as a report. */
  private help(
    before: string,
    session: SessionState,
    base: Pick<Outcome, 'serial' | 'at' | 'echo'>,
  ): Outcome {
    const lines = helpAt(this.parts.console.registry, before, session.language);
    const sections = [{ name: 'help', title: text('Help', '帮助'), lines }];
    return { ...base, retcode: 0, sentence: retcodeText(0), sections, endSession: false };
  }

  private async perform(
    resolved: Resolved,
    session: SessionState,
    options: RunOptions,
  ): Promise<CommandResult> {
    const { command, params } = resolved;
    const { clock } = this.parts;
    const bound = () => {
      this.permit(command, session);
      return bindParams(command, params, { now: clock.now() });
    };
    const { values, confirmed } = bound();
    await confirm(command, confirmed, options);
    const everySec = watchSeconds(command, values);
    if (everySec === undefined) return this.handle(command, values, session, options.signal);
    // Rights change while it goes on, and so does what TODAY means.
    const again = async (signal: AbortSignal, kept: unknown) =>
      this.handle(command, bound().values, session, signal, kept);
    return { live: watchReport(everySec, clock, again) };
  }

  /** Prints part after part of a report until somebody ends it, or it may be run no longer. */
  private async goOn(
    report: LiveReport,
    command: Command,
    session: SessionState,
    head: Pick<Outcome, 'serial' | 'echo'>,
    { print, signal = new AbortController().signal }: RunOptions,
  ): Promise<Outcome> {
    if (!print) throw new MmlError(4004);
    const outcome = (result: CommandResult, part: number, more: boolean): Outcome => ({
      ...head,
      at: this.parts.clock.now(),
      retcode: 0,
      sentence: success(result),
      ...pick(result),
      live: { kind: report.kind, part, more },
    });
    const count = await this.live.run(report, signal, async (part, n) => {
      this.permit(command, session);
      await print(outcome(part, n, true));
    });
    return outcome({}, count, false);
  }

  private permit(command: Command, session: SessionState): void {
    if (!mayRun(session, command)) throw new MmlError(3002, { needed: command.role, role: session.role });
    if (session.mustChangePassword && !WITH_OLD_PASSWORD.has(command.path)) throw new MmlError(3008);
  }

  /** Runs the handler; Ctrl-C and the time limit end the waiting, not the handler. */
  private async handle(
    command: Command,
    values: Readonly<Record<string, unknown>>,
    session: SessionState,
    outer: AbortSignal | undefined,
    kept?: unknown,
  ): Promise<CommandResult> {
    const { services, console, clock } = this.parts;
    const controller = new AbortController();
    let reject: (error: MmlError) => void = () => {};
    const stopped = new Promise<never>((_, refuse) => {
      reject = refuse;
    });
    const stop = (error: MmlError) => {
      controller.abort();
      reject(error);
    };
    const interrupt = () => stop(new MmlError(4006));
    const timeoutMs = command.timeoutMs ?? COMMAND_TIMEOUT_MS;
    const seconds = timeoutMs / 1000;
    const timer = clock.setTimeout(() => stop(new MmlError(5003, { seconds })), timeoutMs);
    outer?.addEventListener('abort', interrupt, { once: true });
    try {
      if (outer?.aborted) interrupt();
      const context: CommandContext = { services, console, session, clock, kept, signal: controller.signal };
      return await Promise.race([Promise.resolve(command.handler(context, values)), stopped]);
    } finally {
      clock.clearTimeout(timer);
      outer?.removeEventListener('abort', interrupt);
    }
  }

  private failure(error: unknown, serial: number, echo: string, subject: string): MmlError {
    const mapped = toMmlError(error, serial, subject);
    if (mapped.retcode === 5999 || !(error instanceof AppError)) {
      this.parts.log.error({ err: error, serial, command: echo }, 'MML command failed');
    }
    return mapped;
  }

  private record(session: SessionState, outcome: Outcome, durationMs: number): void {
    this.parts.operations.append({
      at: outcome.at,
      operator: session.operator,
      role: session.role,
      address: session.address,
      session: session.id,
      command: outcome.echo,
      retcode: outcome.retcode,
      durationMs: Math.round(durationMs * 10) / 10,
    });
  }
}

function success(result: CommandResult): Bilingual {
  const base = retcodeText(0);
  return result.note ? text(`${base.en}. ${result.note.en}`, `${base.zh}。${result.note.zh}`) : base;
}

function pick(result: CommandResult): Pick<Outcome, 'sections' | 'endSession'> {
  return { sections: result.sections ?? [], endSession: result.endSession ?? false };
}
