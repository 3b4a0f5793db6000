import assert from 'node:assert/strict';
import type { SipRequest } from '../../src/sip/message.js';
import type { SipPeer } from './sip-peer.js';

export type Change = (request: SipRequest) => void;

/** A MESSAGE of text from a phone, not sent yet. */
export function textMessage(from: SipPeer, to: string, text = 'hi', change?: Change): SipRequest {
  const request = from.request('MESSAGE', `sip:${to}@127.0.0.1`);
  request.append('Content-Type', 'text/plain');
  request.body = Buffer.from(text);
  change?.(request);
  return request;
}

/** Sends a MESSAGE and answers its challenge; resolves the final status. */
export async function say(from: SipPeer, to: string, text?: string, change?: Change): Promise<number> {
  return (await from.withCredentials(textMessage(from, to, text, change))).statusCode;
}

/** Answers the next MESSAGE that a phone gets; resolves its text. */
export async function hear(phone: SipPeer, status = 200): Promise<string> {
  const heard = await phone.next('MESSAGE');
  phone.respond(heard, status);
  return heard.body.toString();
}

/** Sends one message more: the phone hears it next, so nothing came before it. */
export async function hearsNextOf(from: SipPeer, to: string, phone: SipPeer): Promise<void> {
  const sent = say(from, to, 'next');
  assert.equal(await hear(phone), 'next');
  assert.equal(await sent, 200);
}
