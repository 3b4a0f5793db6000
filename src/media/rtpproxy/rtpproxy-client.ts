import { isIP, isIPv6 } from 'node:net';
import { MediaError } from '../types.js';
import type { ControlChannel } from './control-channel.js';

/** Lines that I answers with. */
const INFO_LINES = 5;

/** A stream of a call as the relay knows it: Call-ID and the tags of the two parties, the one that speaks first. */
export interface StreamKey {
  readonly callId: string;
  /** With the stream's number after a semicolon: `a;0`. */
  readonly fromTag: string;
  readonly toTag: string;
}

/** What U and L tell the relay of a party. */
export interface PartyAddress {
  /** IP address, literal; 0.0.0.0 or :: when the party listens nowhere (hold). */
  readonly address: string;
  readonly port: number;
  /** A second address that its packets may come from; only for a relay with the extension. */
  readonly alsoExpected?: string | undefined;
  /** The port that the relay shall take for it; only for a relay with the extension. */
  readonly ownPort?: number | undefined;
}

/** The relay's port for a stream. */
export interface RelayPort {
  readonly port: number;
  /** Absent when the relay names none: then it is the address it was reached at. */
  readonly address?: string;
}

/** Figures of Q; what the relay did not give is absent. */
export interface StreamFigures {
  readonly packetsFromFrom: number;
  readonly packetsFromTo: number;
  readonly dropped: number;
  readonly bytesFromFrom?: number;
  readonly bytesFromTo?: number;
  readonly addressFrom?: string;
  readonly addressTo?: string;
}

/** A reply `E<n>`. */
export class RelayRefusal extends MediaError {
  constructor(
    readonly number: number,
    command: string,
  ) {
    super(`media relay answered E${number}`, { number, command });
  }
}

/** The verbs of RTPProxy's control protocol, typed. All reject with MediaError: no reply, an error reply, or nonsense. */
export class RtpProxyClient {
  constructor(private readonly channel: ControlChannel) {}

  /** An offer: makes the stream or updates it. Returns the port that the other party shall send to. */
  update(key: StreamKey, party: PartyAddress): Promise<RelayPort> {
    return this.updateOrLookup('U', key, party);
  }

  /** An answer: the tags stay those of the offer. Returns the port that the offerer shall send to. */
  lookup(key: StreamKey, party: PartyAddress): Promise<RelayPort> {
    return this.updateOrLookup('L', key, party);
  }

  private async updateOrLookup(letter: 'U' | 'L', key: StreamKey, party: PartyAddress): Promise<RelayPort> {
    const family = isIPv6(party.address) ? '6' : '';
    const also = party.alsoExpected === undefined ? '' : `h${bracketed(address(party.alsoExpected))}`;
    const own = party.ownPort === undefined ? '' : `o${integer(party.ownPort)}`;
    const words = [
      token(key.callId),
      address(party.address),
      integer(party.port),
      token(key.fromTag),
      token(key.toTag),
    ];
    // A first offer has no answerer yet, and still both tags: that way it also finds a stream the other side began.
    return parsePort(await this.command(`${letter}${family}${also}${own}`, words));
  }

  /** Ends all streams of a call that a party began; unknown ones are no failure: they have timed out. */
  async delete(callId: string, fromTag: string, toTag: string): Promise<void> {
    try {
      await this.command('D', [token(callId), token(fromTag), token(toTag)]);
    } catch (error) {
      if (!(error instanceof RelayRefusal)) throw error;
    }
  }

  /** Figures of a stream. `extended` asks a relay with the extension for octets and addresses too. */
  async query(key: StreamKey, extended: boolean): Promise<StreamFigures> {
    const names = extended
      ? [
          'ttl',
          'npkts_ina',
          'npkts_ino',
          'nrelayed',
          'ndropped',
          'nbytes_ina',
          'nbytes_ino',
          'addr_ina',
          'addr_ino',
        ]
      : [];
    const words = [token(key.callId), token(key.fromTag), token(key.toTag), ...names];
    return parseFigures(await this.command('Q', words));
  }

  /** Version of the protocol: `20040107`. */
  async version(): Promise<string> {
    const reply = await this.command('V', []);
    if (!/^\d{8}$/.test(reply)) throw nonsense('V', reply);
    return reply;
  }

  /** True when the relay has a capability (a date), or an extension (a name). */
  async hasFeature(feature: string): Promise<boolean> {
    return (await this.command('VF', [token(feature)])) === '1';
  }

  /** Streams the relay carries now. */
  async activeSessions(): Promise<number> {
    const reply = await this.command('I', [], INFO_LINES);
    const match = /^active sessions: (\d+)/m.exec(reply);
    if (!match) throw nonsense('I', reply);
    return Number(match[1]);
  }

  /** Ends every stream of every call. */
  async deleteAll(): Promise<void> {
    await this.command('X', []);
  }

  private async command(word: string, args: readonly string[], lines?: number): Promise<string> {
    const reply = (await this.channel.send([word, ...args].join(' '), lines)).trim();
    const refusal = /^E(\d{1,5})$/.exec(reply);
    if (refusal) throw new RelayRefusal(Number(refusal[1]), word);
    return reply;
  }
}

/** `port`, `port ip`, `port ip 6`; some relays write `port ip/…`. Port 0 is an unknown session. */
function parsePort(reply: string): RelayPort {
  const match = /^(\d{1,5})(?: ([0-9a-fA-F.:]{2,45})(?:[/ ].*)?)?$/.exec(reply);
  const port = Number(match?.[1]);
  if (!match || port > 65_535) throw nonsense('U', reply);
  if (port === 0) throw new MediaError('media relay does not know the call');
  const host = match[2];
  if (host === undefined) return { port };
  if (isIP(host) === 0) throw nonsense('U', reply);
  return { port, address: host };
}

function parseFigures(reply: string): StreamFigures {
  const words = reply.split(' ');
  const [, fromFrom, fromTo, , dropped, bytesFrom, bytesTo, addressFrom, addressTo] = words;
  const numbers = [fromFrom, fromTo, dropped].map(Number);
  if (words.length < 5 || numbers.some((value) => !Number.isSafeInteger(value) || value < 0)) {
    throw nonsense('Q', reply);
  }
  const figures = { packetsFromFrom: numbers[0]!, packetsFromTo: numbers[1]!, dropped: numbers[2]! };
  if (words.length < 9) return figures;
  return {
    ...figures,
    bytesFromFrom: Number(bytesFrom),
    bytesFromTo: Number(bytesTo),
    ...(addressFrom !== '-' && { addressFrom: addressFrom! }),
    ...(addressTo !== '-' && { addressTo: addressTo! }),
  };
}

function nonsense(command: string, reply: string): MediaError {
  return new MediaError('reply of the media relay makes no sense', { command, reply: reply.slice(0, 80) });
}

/** A word that can be nothing but one word of a command: a line end in it would start a command of its own. */
function token(text: string): string {
  if (!/^[!-%'-~]{1,256}$/.test(text))
    throw new MediaError('a word for the media relay has a character it may not have');
  return text;
}

function address(text: string): string {
  if (isIP(text) === 0) throw new MediaError('an address for the media relay is not an IP address');
  return text;
}

function integer(value: number): string {
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new MediaError('a port is out of range');
  return String(value);
}

function bracketed(text: string): string {
  return isIPv6(text) ? `[${text}]` : text;
}
