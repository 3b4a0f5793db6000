/** Facts that help to understand a failure; never a secret. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Base of every error this project throws. `code` is a stable upper-case token: logs, MML and HTTP name it.
 * `sipStatus` is what a SIP peer hears when the error ends its request (RFC 3261 §21).
 */
export class AppError extends Error {
  readonly code: string;
  readonly context: ErrorContext;
  readonly sipStatus: number;

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; context?: ErrorContext; sipStatus?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.context = options.context ?? {};
    this.sipStatus = options.sipStatus ?? 500;
  }
}

/** A method was called on something already closed. */
export class ClosedError extends AppError {
  constructor(what: string) {
    super('CLOSED', `${what} is closed`);
  }
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
