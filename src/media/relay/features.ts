/** What V answers: the base version of the control protocol. */
export const PROTOCOL_VERSION = '20040107';

/**
 * This project's own additions, asked for as `VF ims-media-1`; RTPProxy answers 0 to it. With it come the modifier
 * `h<ip>` and `o<port>` of U and L and the counters `nbytes_ina nbytes_ino addr_ina addr_ino` of Q.
 */
export const EXTENSION = 'ims-media-1';

/** Capabilities that VF confirms. Not here: resizing, copying, playing, notifications, bridging, subcommands. */
export const FEATURES: ReadonlySet<string> = new Set([
  PROTOCOL_VERSION,
  '20050322', // several streams in a call
  '20060704', // VF itself
  '20080403', // Q
  '20081102', // codecs in U and L
  '20141004', // named counters
  '20150330', // new port: Un, Ln
  EXTENSION,
]);
