import { MAX_NEGOTIATIONS } from '../limits.js';
import {
  DO,
  DONT,
  IAC,
  OPTION_BINARY,
  OPTION_ECHO,
  OPTION_NAWS,
  OPTION_SGA,
  OPTION_TTYPE,
  SB,
  SE,
  WILL,
  WONT,
} from './telnet-codes.js';

/** Options that we offer to do, and that we ask the client to do. */
// RFC 856: without BINARY a client may strip the eighth bit, and with it all of UTF-8.
const OURS = [OPTION_ECHO, OPTION_SGA, OPTION_BINARY];
const THEIRS = [OPTION_SGA, OPTION_BINARY, OPTION_NAWS, OPTION_TTYPE];
const TTYPE_IS = 0;
const TTYPE_SEND = 1;
const MAX_TERMINAL_TYPE_CHARS = 40;

/** RFC 1143 states, without the queue: we never change our mind. */
type OptionState = 'no' | 'wanted' | 'yes';

/**
 * Negotiates telnet options for one connection. Answers only what changes a state or must be refused, so two such
 * ends cannot loop (RFC 854, RFC 1143), and stops answering after a bound.
 */
export class TelnetOptions {
  /** Columns and rows that the client told (RFC 1073); undefined until then, or when it said 0. */
  columns: number | undefined;
  rows: number | undefined;
  /** Terminal type (RFC 1091), upper case; undefined until told. */
  terminalType: string | undefined;
  private readonly ours = new Map<number, OptionState>(OURS.map((option) => [option, 'no']));
  private readonly theirs = new Map<number, OptionState>(THEIRS.map((option) => [option, 'no']));
  private answered = 0;

  constructor(
    private readonly send: (bytes: Buffer) => void,
    private readonly onStorm: () => void,
  ) {}

  /** Sends the opening offers. A client that is no telnet client ignores them. */
  start(): void {
    for (const option of OURS) this.ours.set(option, 'wanted');
    for (const option of THEIRS) this.theirs.set(option, 'wanted');
    this.send(
      Buffer.from([
        ...OURS.flatMap((option) => [IAC, WILL, option]),
        ...THEIRS.flatMap((option) => [IAC, DO, option]),
      ]),
    );
  }

  /** Whether the client lets us echo and sends each key at once: a terminal, not lines. RFC 857, RFC 858. */
  get isTerminal(): boolean {
    return this.ours.get(OPTION_ECHO) === 'yes' && this.ours.get(OPTION_SGA) === 'yes';
  }

  /** Whether we send bytes as they are: a lone CR needs no NUL then. RFC 856. */
  get isBinary(): boolean {
    return this.ours.get(OPTION_BINARY) === 'yes';
  }

  receive(verb: number, option: number): void {
    if (verb === WILL) this.change(this.theirs, option, true, DO, DONT);
    else if (verb === WONT) this.change(this.theirs, option, false, DO, DONT);
    else if (verb === DO) this.change(this.ours, option, true, WILL, WONT);
    else this.change(this.ours, option, false, WILL, WONT);
  }

  receiveSubnegotiation(option: number, payload: Buffer): void {
    if (option === OPTION_NAWS && payload.length === 4) {
      this.columns = clamp(payload.readUInt16BE(0), 20, 500);
      this.rows = clamp(payload.readUInt16BE(2), 4, 500);
    } else if (option === OPTION_TTYPE && payload[0] === TTYPE_IS) {
      const name = payload.toString('latin1', 1).toUpperCase();
      if (/^[\x21-\x7e]+$/.test(name)) this.terminalType = name.slice(0, MAX_TERMINAL_TYPE_CHARS);
    }
  }

  private change(
    states: Map<number, OptionState>,
    option: number,
    on: boolean,
    agree: number,
    refuse: number,
  ): void {
    const state = states.get(option);
    if (state === undefined) {
      // RFC 854: an unknown option is refused; that it is off needs no answer.
      if (on) this.answer(refuse, option);
      return;
    }
    if (on === (state === 'yes')) return;
    states.set(option, on ? 'yes' : 'no');
    // Our own offer taken or turned down needs no answer; RFC 1143 §7.
    if (state !== 'wanted') this.answer(on ? agree : refuse, option);
    if (on && option === OPTION_TTYPE && states === this.theirs && this.terminalType === undefined) {
      this.send(Buffer.from([IAC, SB, OPTION_TTYPE, TTYPE_SEND, IAC, SE]));
    }
  }

  private answer(verb: number, option: number): void {
    this.answered++;
    if (this.answered <= MAX_NEGOTIATIONS) this.send(Buffer.from([IAC, verb, option]));
    else if (this.answered === MAX_NEGOTIATIONS + 1) this.onStorm();
  }
}

function clamp(value: number, min: number, max: number): number | undefined {
  return value === 0 ? undefined : Math.min(max, Math.max(min, value));
}
