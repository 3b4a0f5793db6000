import type { AudioEngineOptions } from './audio-engine.js';
import type { AudioRemote, MixMember, PlayOptions, Sound } from './types.js';

/** What the thread is started with. */
export type WorkerOptions = AudioEngineOptions;

/** Done at once; nothing comes back. `id` is the endpoint's. */
export type AudioOrder =
  | { readonly type: 'connect'; readonly id: number; readonly remote: AudioRemote }
  | { readonly type: 'join'; readonly id: number; readonly mix: string; readonly member: MixMember };

/** Answered by a reply with the same `request`. */
export type AudioRequest =
  | { readonly type: 'open'; readonly id: number; readonly address: string }
  | { readonly type: 'play'; readonly id: number; readonly sound: Sound; readonly options: PlayOptions }
  | { readonly type: 'playToMix'; readonly mix: string; readonly sound: Sound }
  | { readonly type: 'check'; readonly sound: Sound }
  | { readonly type: 'statsOf'; readonly id: number }
  | { readonly type: 'stats' }
  | { readonly type: 'close'; readonly id: number };

/** From the thread that started the worker. */
export type HostMessage =
  | AudioOrder
  | (AudioRequest & { readonly request: number })
  | { readonly type: 'shutdown' };

/** From the worker. */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'reply'; readonly request: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly request: number; readonly code: string; readonly message: string }
  | { readonly type: 'digit'; readonly id: number; readonly digit: string };
