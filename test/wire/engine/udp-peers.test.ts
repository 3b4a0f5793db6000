import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransportError } from '../../../src/engine/transport/errors.js';
import { type Clock, systemClock } from '../../../src/platform/clock.js';
import { RawUdp } from '../../support/raw-sockets.js';
import { RecordingClientUser, requestFrom, startStack } from '../../support/sip-stack.js';
import { requestText, responseText } from '../../support/sip-text.js';

const LISTENERS = [{ protocol: 'udp', address: '127.0.0.1', port: 0 }] as const;
/** More than one datagram of IPv4 holds. */
const TOO_LARGE_BYTES = 70_000;
const hopTo = (phone: RawUdp) => ({ protocol: 'udp', address: '127.0.0.1', port: phone.port }) as const;
const afterTicks = () => new Promise<void>((resolve) => process.nextTick(() => process.nextTick(resolve)));

test('RFC 3261 §18.4: a datagram that cannot be sent fails its own sender, not the others of that peer', async () => {
  const stack = await startStack({ listeners: LISTENERS });
  const phone = await RawUdp.open();
  try {
    const user = new RecordingClientUser();
    stack.transactions.createClient(requestFrom(requestText()), hopTo(phone), user);
    const request = await phone.inbox.next();
    const failure = await new Promise<TransportError>((resolve) =>
      stack.transport
        .outlet(hopTo(phone))
        .send(Buffer.alloc(TOO_LARGE_BYTES, 'a'), { onSendFailure: (error) => resolve(error) }),
    );
    assert.equal(failure.code, 'SEND_FAILED');
    assert.equal(stack.transport.counters.sendFailures, 1);
    phone.send(responseText(request, 200), stack.port('udp'));
    assert.equal((await user.responses.next()).statusCode, 200);
    assert.equal(user.events.includes('transport'), false);
  } finally {
    await phone.close();
    await stack.close();
  }
});

test('what a peer has sent is read also when it is given up for another in that moment', async () => {
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + aheadMs };
  const stack = await startStack({ listeners: LISTENERS, clock, transportLimits: { maxUdpPeers: 1 } });
  const [first, second] = [await RawUdp.open(), await RawUdp.open()];
  try {
    const user = new RecordingClientUser();
    stack.transactions.createClient(requestFrom(requestText()), hopTo(first), user);
    const request = await first.inbox.next();
    first.send(responseText(request, 200), stack.port('udp'));
    // The kernel has it; nobody polls before the next turn.
    await afterTicks();
    aheadMs = 10_000;
    stack.transactions.createClient(requestFrom(requestText()), hopTo(second), new RecordingClientUser());
    assert.equal((await user.responses.next()).statusCode, 200);
  } finally {
    await Promise.all([first.close(), second.close()]);
    await stack.close();
  }
});
