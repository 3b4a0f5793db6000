import { setTimeout as sleep } from 'node:timers/promises';
import type { TimelineEntry } from '../../cdr/types.js';
import type { SipMessage } from '../../sip/message.js';
import { Phone } from '../../testkit/phone.js';
import type { PhoneCall } from '../../testkit/phone-call.js';
import type { RtpCounters } from '../../testkit/rtp-stream.js';

export const CALLER_HZ = 440;
export const CALLEE_HZ = 880;
const TALK_MS = 1500;
const HOLD_MS = 700;

export interface DemoParty {
  readonly username: string;
  readonly password: string;
}

export interface DemoOutcome {
  readonly messages: readonly TimelineEntry[];
  readonly caller: RtpCounters;
  readonly callee: RtpCounters;
}

export interface DemoCallOptions {
  readonly server: { readonly address: string; readonly port: number };
  readonly domain: string;
  readonly caller: DemoParty;
  readonly callee: DemoParty;
  /** Told each step. */
  readonly say: (line: string) => void;
}

/** Two phones register, one calls the other, both talk, hold, resume and hang up; everything they sent and heard comes back. */
export async function demoCall(options: DemoCallOptions): Promise<DemoOutcome> {
  const { server, domain, say } = options;
  const messages: TimelineEntry[] = [];
  const openPhone = (party: DemoParty, leg: string, toneHz: number): Promise<Phone> =>
    Phone.open({
      ...party,
      domain,
      server,
      address: server.address,
      toneHz,
      onMessage: (message, sent) => messages.push(entry(message, leg, sent)),
    });
  const caller = await openPhone(options.caller, 'a', CALLER_HZ);
  const callee = await openPhone(options.callee, 'b1', CALLEE_HZ);
  try {
    await Promise.all([caller.register(60), callee.register(60)]);
    say(`phones ${options.caller.username} and ${options.callee.username} are registered`);
    messages.length = 0;
    const incoming = callee.nextIncoming();
    const call = await caller.call(options.callee.username, (response) =>
      say(`${response.statusCode} ${response.reasonPhrase}`),
    );
    const answered = await incoming;
    say('answered; both phones talk');
    const counters = await talk(call, answered, say);
    await call.hangUp();
    await answered.ended;
    say('hung up');
    const ladder = [...messages];
    await Promise.all([caller.register(0), callee.register(0)]);
    return { messages: ladder, ...counters };
  } finally {
    await Promise.all([caller.close(), callee.close()]);
  }
}

/** Talks, holds and resumes; resolves what each side had heard before the end. */
async function talk(call: PhoneCall, answered: PhoneCall, say: (line: string) => void) {
  await sleep(TALK_MS);
  await call.reinvite('sendonly');
  say('on hold');
  await sleep(HOLD_MS);
  await call.reinvite('sendrecv');
  say('resumed');
  await sleep(TALK_MS);
  const tones = [CALLER_HZ, CALLEE_HZ];
  return { caller: call.rtp.counters(tones), callee: answered.rtp.counters(tones) };
}

/** A message as the server saw it: what a phone sent, the server received. */
function entry(message: SipMessage, leg: string, sentByPhone: boolean): TimelineEntry {
  const summary =
    message.type === 'request'
      ? message.method
      : `${message.statusCode} ${message.reasonPhrase} (${message.cseq?.method ?? ''})`;
  return {
    at: Date.now(),
    mono: performance.now(),
    event: { kind: 'message', leg, sent: !sentByPhone, summary },
  };
}
