import type { MessageFacts } from '../core/application.js';

/** Version told to applications; drachtio-srf pings only servers from v0.8.2 on. */
export const WIRE_VERSION = 'v0.9.10-embedded';

const DAY_MS = 86_400_000;
const SECOND_MS = 1000;
/** Frames of one millisecond have the same text. */
let lastMs = -1;
let lastText = '';

/** Time of day in UTC, `HH:MM:SS.uuuuuu`. */
export function timeOfDay(nowMs: number): string {
  const ms = Math.floor(nowMs) % DAY_MS;
  if (ms !== lastMs) {
    lastMs = ms;
    const second = Math.floor(ms / SECOND_MS);
    const two = (value: number) => String(value).padStart(2, '0');
    const day = `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`;
    lastText = `${day}.${String(ms % SECOND_MS).padStart(3, '0')}000`;
  }
  return lastText;
}

/** The six fields that tell an application about a message. WebSocket is `tcp` to applications. */
export function metaFields(facts: MessageFacts, nowMs: number): string {
  const protocol = facts.protocol === 'ws' || facts.protocol === 'wss' ? 'tcp' : facts.protocol;
  return `${facts.origin}|${facts.sizeBytes}|${protocol}|${facts.address}|${facts.port}|${timeOfDay(nowMs)}`;
}
