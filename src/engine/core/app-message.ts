import type { HeaderField } from '../../sip/message.js';

/**
 * A message as an application wrote it: only header fields that an application may set, one element a line where the
 * RFC wants that, names spelt canonically. Text is latin1, a char is a byte.
 */
export interface AppMessage {
  /** Start line as written, for error texts. */
  readonly startLine: string;
  readonly headers: readonly HeaderField[];
  readonly body: string;
}

export interface AppRequest extends AppMessage {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
}

export interface AppResponse extends AppMessage {
  readonly kind: 'response';
  /** 100..699. */
  readonly statusCode: number;
  readonly reasonPhrase: string;
}

/** First value of the field `key` (full lower-case name); undefined when the application gave none. */
export function appHeader(message: Pick<AppMessage, 'headers'>, key: string): string | undefined {
  for (const field of message.headers) if (field.key === key) return field.value;
  return undefined;
}
