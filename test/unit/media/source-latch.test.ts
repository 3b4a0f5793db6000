import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { looksLikeMedia, RELEARN_WINDOW_MS, SourceLatch } from '../../../src/media/relay/source-latch.js';

const RTP = 0x80;
const PHONE = '192.0.2.1';
const STRANGER = '203.0.113.66';

describe('SourceLatch', () => {
  let latch: SourceLatch;
  let nowMs: number;
  const tell = (port: number, address = PHONE, alsoExpected?: string): void =>
    latch.tell({ address, port }, { asymmetric: false, nowMs, alsoExpected });
  const admit = (address: string, port: number, firstByte = RTP): boolean =>
    latch.admit(address, port, firstByte, nowMs);
  const aim = (): string => `${latch.address}:${latch.port}`;

  beforeEach(() => {
    latch = new SourceLatch(false);
    nowMs = 1_000;
  });

  it('hears nobody before anything was told', () => {
    assert.equal(admit(PHONE, 4000), false);
  });

  it('sends to the told address until a packet comes', () => {
    tell(4000);
    assert.equal(aim(), `${PHONE}:4000`);
    assert.equal(latch.isLearned, false);
  });

  it('never learns from another address, however often and early it tries', () => {
    tell(4000);
    for (let port = 1; port < 100; port++) assert.equal(admit(STRANGER, port), false);
    assert.equal(aim(), `${PHONE}:4000`);
  });

  it('learns another port of the expected address, once', () => {
    tell(4000);
    assert.equal(admit(PHONE, 5000), true);
    assert.equal(aim(), `${PHONE}:5000`);
    assert.equal(latch.settled, true);
    assert.equal(admit(PHONE, 6000), false);
  });

  it('prefers the told address and port to one that only shares the address', () => {
    tell(4000);
    admit(PHONE, 5000);
    assert.equal(admit(PHONE, 4000), true);
    assert.equal(aim(), `${PHONE}:4000`);
    assert.equal(admit(PHONE, 5000), false);
  });

  it('expects a second address that the controller vouches for', () => {
    tell(4000, '10.0.0.5', PHONE);
    assert.equal(aim(), '10.0.0.5:4000');
    assert.equal(admit(PHONE, 5000), true);
    assert.equal(aim(), `${PHONE}:5000`);
  });

  it('does not learn from what is not media, but relays it for a known sender', () => {
    tell(4000);
    assert.equal(admit(PHONE, 5000, 0x47), false);
    assert.equal(admit(PHONE, 4000, 0x47), true, 'exactly the told sender');
  });

  it('opens again when the party is told anew, and still hears the old sender meanwhile', () => {
    tell(4000);
    admit(PHONE, 5000);
    tell(4000);
    assert.equal(admit(STRANGER, 5000), false);
    assert.equal(admit(PHONE, 5000), true, 'a late packet does not shut the window');
    assert.equal(admit(PHONE, 6000), true);
    assert.equal(aim(), `${PHONE}:6000`);
    assert.equal(admit(PHONE, 5000), false);
  });

  it('shuts the window after a while', () => {
    tell(4000);
    admit(PHONE, 5000);
    tell(4000);
    nowMs += RELEARN_WINDOW_MS + 1;
    assert.equal(admit(PHONE, 6000), false);
    assert.equal(admit(PHONE, 5000), true);
    assert.equal(latch.settled, true);
  });

  it('RFC 3264 §8.3.1: sends to a new address only when the offer is answered or the party speaks from there', () => {
    tell(4000);
    admit(PHONE, 4000);
    tell(7000);
    assert.equal(aim(), `${PHONE}:4000`, 'the offer may be refused');
    assert.equal(admit(PHONE, 4000), true);
    latch.confirm();
    assert.equal(aim(), `${PHONE}:7000`);
    tell(8000);
    admit(PHONE, 7000);
    tell(8000);
    assert.equal(admit(PHONE, 8000), true);
    assert.equal(aim(), `${PHONE}:8000`);
  });

  it('keeps its aim through hold, which names no address', () => {
    tell(4000);
    admit(PHONE, 5000);
    latch.tell(null, { asymmetric: false, nowMs });
    latch.confirm();
    assert.equal(aim(), `${PHONE}:5000`);
    assert.equal(admit(PHONE, 5000), true);
  });

  it('guesses the RTCP port until it is learned', () => {
    tell(4001);
    latch.guess(PHONE, 5001);
    assert.equal(aim(), `${PHONE}:5001`);
    admit(PHONE, 6001);
    latch.guess(PHONE, 5001);
    assert.equal(aim(), `${PHONE}:6001`);
  });

  it('does not learn for an asymmetric party, but asks for its address', () => {
    latch.tell({ address: PHONE, port: 4000 }, { asymmetric: true, nowMs });
    assert.equal(admit(PHONE, 5000), true);
    assert.equal(admit(PHONE, 6000), true);
    assert.equal(admit(STRANGER, 4000), false);
    assert.equal(aim(), `${PHONE}:4000`);
  });

  it('learns anybody once when told to trust', () => {
    latch = new SourceLatch(true);
    tell(4000);
    assert.equal(admit('198.51.100.7', 5000), true);
    assert.equal(admit(STRANGER, 5000), false);
  });

  it('RFC 7983 §7: knows media by its first byte', () => {
    for (const byte of [0, 3, 20, 63, 128, 191]) assert.equal(looksLikeMedia(byte), true, String(byte));
    for (const byte of [4, 19, 64, 127, 192, 255]) assert.equal(looksLikeMedia(byte), false, String(byte));
  });
});
