import { MAX_SUBNEGOTIATION_BYTES } from '../limits.js';
import { DO, DONT, IAC, SB, SE, WILL, WONT } from './telnet-codes.js';

/** What a telnet stream consists of. */
export interface TelnetHandler {
  /** Bytes of the operator, `CR LF`, `CR NUL`, `CR` and `LF` all turned into one CR; never empty. */
  onData(bytes: Buffer): void;
  /** WILL, WONT, DO or DONT of an option (RFC 854). */
  onNegotiation(verb: number, option: number): void;
  onSubnegotiation(option: number, payload: Buffer): void;
  /** IP, AYT, EC and the like. */
  onCommand(command: number): void;
}

type State = 'data' | 'iac' | 'option' | 'sb-option' | 'sb' | 'sb-iac';

const CR = 13;
const LF = 10;
const NUL = 0;

/** Splits a telnet byte stream, wherever the segments were cut. Bounded whatever comes. RFC 854, RFC 855. */
export class TelnetParser {
  private state: State = 'data';
  private verb = 0;
  private option = 0;
  private payload: number[] = [];
  private overflow = false;
  private afterCr = false;

  constructor(private readonly handler: TelnetHandler) {}

  push(chunk: Uint8Array): void {
    const data = Buffer.allocUnsafe(chunk.length);
    let used = 0;
    const flush = () => {
      if (used > 0) this.handler.onData(Buffer.from(data.subarray(0, used)));
      used = 0;
    };
    for (const byte of chunk) {
      if (this.state === 'data' && byte !== IAC) {
        const out = this.text(byte);
        if (out >= 0) data[used++] = out;
      } else if (this.state === 'iac' && byte === IAC) {
        // RFC 854: IAC IAC is one data byte 255.
        this.state = 'data';
        this.afterCr = false;
        data[used++] = IAC;
      } else {
        // Order matters: what was typed before a command is delivered before it.
        flush();
        this.control(byte);
      }
    }
    flush();
  }

  /** The byte to deliver, or -1. RFC 854: CR is followed by LF or NUL; clients in the field send CR or LF alone as well. */
  private text(byte: number): number {
    const wasCr = this.afterCr;
    this.afterCr = byte === CR;
    if (byte === NUL) return -1;
    if (byte === LF) return wasCr ? -1 : CR;
    return byte;
  }

  private control(byte: number): void {
    switch (this.state) {
      case 'data':
        this.state = 'iac';
        break;
      case 'iac':
        this.command(byte);
        break;
      case 'option':
        this.state = 'data';
        this.handler.onNegotiation(this.verb, byte);
        break;
      case 'sb-option':
        this.option = byte;
        this.payload = [];
        this.overflow = false;
        this.state = 'sb';
        break;
      case 'sb':
        if (byte === IAC) this.state = 'sb-iac';
        else this.collect(byte);
        break;
      case 'sb-iac':
        this.afterSubnegotiationIac(byte);
        break;
    }
  }

  private command(byte: number): void {
    if (byte === WILL || byte === WONT || byte === DO || byte === DONT) {
      this.verb = byte;
      this.state = 'option';
    } else if (byte === SB) {
      this.state = 'sb-option';
    } else {
      this.state = 'data';
      this.handler.onCommand(byte);
    }
  }

  private collect(byte: number): void {
    if (this.payload.length < MAX_SUBNEGOTIATION_BYTES) this.payload.push(byte);
    else this.overflow = true;
  }

  private afterSubnegotiationIac(byte: number): void {
    if (byte === IAC) {
      this.collect(IAC);
      this.state = 'sb';
      return;
    }
    this.state = 'data';
    if (byte === SE) {
      if (!this.overflow) this.handler.onSubnegotiation(this.option, Buffer.from(this.payload));
      return;
    }
    // RFC 855: only SE ends a subnegotiation. Another command here means that SE was lost; obey the command.
    this.state = 'iac';
    this.control(byte);
  }
}
