import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import { ExchangeFiles } from '../exchange-files.js';
import type { Command } from '../registry/command.js';
import { Registry } from '../registry/registry.js';
import type { Services } from '../services.js';
import { CommandExecutor } from './command-executor.js';
import { LoginGate } from './login-gate.js';
import { OperationLog } from './operation-log.js';
import type { ConsoleControl, ProductName } from './session-state.js';
import { SessionTable } from './session-table.js';

export interface CoreOptions {
  readonly services: Services;
  readonly commands: readonly Command[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly product: ProductName;
  /** Directory of the operation log. */
  readonly operationLogPath: string;
  /** Directory of files that commands read and write. */
  readonly exchangePath: string;
}

/** What all ways into the console share: registry, executor, sessions, login, operation log. */
export class ConsoleCore {
  readonly services: Services;
  readonly clock: Clock;
  readonly log: Logger;
  readonly product: ProductName;
  readonly registry: Registry;
  readonly sessions: SessionTable;
  readonly gate: LoginGate;
  readonly operations: OperationLog;
  readonly executor: CommandExecutor;
  readonly files: ExchangeFiles;

  constructor(options: CoreOptions) {
    const { services, clock, log, product } = options;
    this.services = services;
    this.clock = clock;
    this.log = log;
    this.product = product;
    this.registry = new Registry(options.commands);
    this.sessions = new SessionTable(clock);
    this.gate = new LoginGate(services.operators, clock);
    this.operations = new OperationLog(options.operationLogPath, log);
    this.files = new ExchangeFiles(options.exchangePath);
    this.executor = new CommandExecutor({
      services,
      clock,
      log,
      operations: this.operations,
      console: this.control(),
    });
  }

  private control(): ConsoleControl {
    return {
      product: this.product,
      registry: this.registry,
      files: this.files,
      check: (command, session) => this.executor.check(command, session),
      sessions: () => this.sessions.list(),
      endSession: (id) => this.sessions.end(id),
      verifyPassword: (name, password, address) => this.gate.verify(name, password, address),
      operations: (query) => this.operations.query(query),
      checkOperations: (noted) => this.operations.check(noted),
    };
  }
}
