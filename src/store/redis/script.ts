import { createHash } from 'node:crypto';

/** A Lua script that Redis runs as one step. Called by hash; sent whole when Redis does not know it. */
export interface Script {
  readonly name: string;
  readonly source: string;
  readonly sha1: string;
}

/** Names a script and takes its hash. Values reach a script as arguments only, never as part of its text. */
export function script(name: string, source: string): Script {
  return { name, source, sha1: createHash('sha1').update(source).digest('hex') };
}
