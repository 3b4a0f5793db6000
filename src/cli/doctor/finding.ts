/** What a check found. `advice` says what to do about it. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly what: string;
  readonly advice?: string;
}
