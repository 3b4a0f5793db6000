import { isIPv4, isIPv6 } from 'node:net';
import { CommandError, ERROR } from './error-codes.js';

/** What the letters after U and L ask for. */
export interface UpdateOptions {
  /** `a`: the party sends from another port than it listens on, so its address is as told and never learned. */
  asymmetric: boolean;
  /** `w`: the session lives until both its strong and its weak users have deleted it. */
  weak: boolean;
  /** `6`: the remote address is IPv6. */
  family: 4 | 6;
  /** `n`: give this side a new port. */
  newPort: boolean;
  /** `l<ip>`: bind to this local address. */
  localAddress?: string;
  /** `o<port>`, an extension (see FEATURES): the port for this side, of a session that an earlier relay had. */
  ownPort?: number;
  /** `h<ip>`, an extension (see FEATURES): a second address that the party's packets may come from. */
  alsoExpected?: string;
}

const ADDRESS = /^(?:\[([0-9a-fA-F:.]{2,45})\]|(\d{1,3}(?:\.\d{1,3}){3}))/;

/** Parses the modifiers of U and L. `c<codecs>` and `r<ip>` are checked and have no effect. Throws CommandError. */
export function parseUpdateOptions(modifiers: string): UpdateOptions {
  const options: UpdateOptions = { asymmetric: false, weak: false, family: 4, newPort: false };
  for (let at = 0; at < modifiers.length; ) at = takeModifier(modifiers, at, options);
  return options;
}

/** Takes the modifier at `at`; returns where the next begins. */
function takeModifier(modifiers: string, at: number, options: UpdateOptions): number {
  const next = at + 1;
  switch (modifiers[at]!.toLowerCase()) {
    case 'a':
      options.asymmetric = true;
      return next;
    case 's':
      options.asymmetric = false;
      return next;
    case 'w':
      options.weak = true;
      return next;
    case '6':
      options.family = 6;
      return next;
    case 'n':
      options.newPort = true;
      return next;
    case 'e':
      throw new CommandError(ERROR.EXTERNAL);
    case 'i':
      throw new CommandError(ERROR.INTERNAL);
    case 'c':
      return next + take(/^[\d,]+/, modifiers.slice(next), ERROR.CODECS).length;
    case 'r':
      return next + takeAddress(modifiers.slice(next), ERROR.REMOTE_ADDRESS).length;
    case 'l': {
      const local = takeAddress(modifiers.slice(next), ERROR.LOCAL_ADDRESS);
      options.localAddress = local.address;
      return next + local.length;
    }
    case 'o': {
      const port = take(/^\d{1,5}/, modifiers.slice(next), ERROR.UPDATE_MODIFIER);
      options.ownPort = Number(port);
      return next + port.length;
    }
    case 'h': {
      const also = takeAddress(modifiers.slice(next), ERROR.REMOTE_ADDRESS);
      options.alsoExpected = also.address;
      return next + also.length;
    }
    default:
      throw new CommandError(ERROR.UPDATE_MODIFIER);
  }
}

function take(pattern: RegExp, text: string, errorNumber: number): string {
  const match = pattern.exec(text);
  if (!match) throw new CommandError(errorNumber);
  return match[0];
}

function takeAddress(text: string, errorNumber: number): { address: string; length: number } {
  const match = ADDRESS.exec(text);
  const address = match?.[1] ?? match?.[2];
  if (!match || !address || !(isIPv4(address) || isIPv6(address))) throw new CommandError(errorNumber);
  return { address, length: match[0].length };
}

/** Where a party says it listens; `null` when it listens nowhere (hold) or the words say nothing. */
export interface RemoteAddress {
  readonly address: string;
  readonly port: number;
}

/**
 * Reads the address and port words of U and L. An all-zero address is hold; an address too short to be one is
 * passed over as RTPProxy does; any other bad one throws CommandError.
 */
export function parseRemote(address: string, port: string, family: 4 | 6): RemoteAddress | null {
  const [shortest, longest] = family === 4 ? [7, 15] : [2, 45];
  if (address.length < shortest || address.length > longest) return null;
  const valid = family === 4 ? isIPv4(address) : isIPv6(address);
  if (!valid || !/^\d{1,5}$/.test(port)) throw new CommandError(ERROR.REMOTE);
  if (/^[0:.]+$/.test(address)) return null;
  const number = Number(port);
  // Port 0 is a stream that is not there; RTPProxy takes it, and so the address counts and nothing is sent.
  if (number > 65_535) throw new CommandError(ERROR.REMOTE);
  return { address, port: number };
}
