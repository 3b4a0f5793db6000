import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CoreContext } from '../../../src/engine/core/core-context.js';
import { createCoreCounters } from '../../../src/engine/core/core-counters.js';
import { parseProxyCommand } from '../../../src/engine/drachtio/proxy-command.js';
import { bestOutcome, type Outcome } from '../../../src/engine/proxy/best-response.js';
import { Branch, type BranchOwner } from '../../../src/engine/proxy/branch.js';
import { createForwarded } from '../../../src/engine/proxy/forwarded-request.js';
import { MAX_TARGETS, MAX_TIMEOUT_MS } from '../../../src/engine/proxy/limits.js';
import { LoopDetector } from '../../../src/engine/proxy/loop-detector.js';
import { RecordRoutes } from '../../../src/engine/proxy/record-route.js';
import { redirectTargets } from '../../../src/engine/proxy/redirects.js';
import { nextHopUri, removeOwnRoutes } from '../../../src/engine/proxy/route-processing.js';
import { SipRequest, SipResponse } from '../../../src/sip/message.js';
import { parseMessage } from '../../../src/sip/parser.js';
import { requestText } from '../../support/sip-text.js';

const UDP_END = { protocol: 'udp', sentBy: { host: '192.0.2.1', port: 5060 } } as const;
const TLS_END = { protocol: 'tls', sentBy: { host: '2001:db8::1', port: 5061 } } as const;

function requestOf(options: Parameters<typeof requestText>[0]): SipRequest {
  const message = parseMessage(Buffer.from(requestText(options)));
  assert.ok(message instanceof SipRequest);
  return message;
}

describe('RFC 3261 §16.7 item 6: the best of final responses', () => {
  const outcome = (statusCode: number, isOurs = false): Outcome => ({
    statusCode,
    response: isOurs ? undefined : new SipResponse(statusCode, 'x'),
  });
  const best = (given: readonly Outcome[], wasCancelled = false): number =>
    bestOutcome(given, wasCancelled).statusCode;

  test('6xx before all, then the lowest class', () => {
    assert.equal(best([outcome(404), outcome(603), outcome(302)]), 603);
    assert.equal(best([outcome(500), outcome(404), outcome(302)]), 302);
    assert.equal(best([outcome(502), outcome(486)]), 486);
  });

  test('within 4xx what tells how to try again, then real ones, then signs of giving up', () => {
    for (const useful of [401, 407, 415, 420, 484])
      assert.equal(best([outcome(404), outcome(useful)]), useful);
    assert.equal(best([outcome(487), outcome(486)]), 486);
    assert.equal(best([outcome(408, true), outcome(480)]), 480);
    assert.equal(best([outcome(480), outcome(486)]), 480);
  });

  test('after the caller’s CANCEL 487; of none at all 408 or 487', () => {
    assert.equal(best([outcome(486), outcome(487)], true), 487);
    assert.equal(best([]), 408);
    assert.equal(best([], true), 487);
  });
});

describe('RFC 3261 §16.6: the request that goes on', () => {
  const changes = { requestUri: 'sip:b@192.0.2.7', routes: [], headers: [], maxBreadth: 60, local: UDP_END };

  test('item 3: one hop less, 69 where none was said; the original stays as it is', () => {
    const request = requestOf({ method: 'INVITE' });
    assert.equal(createForwarded(request, changes).get('max-forwards'), '69');
    assert.equal(request.get('max-forwards'), '70');
    request.remove('max-forwards');
    assert.equal(createForwarded(request, changes).get('max-forwards'), '69');
  });

  test('item 4: Record-Route above those of others, behind Via; Path for a REGISTER (RFC 3327 §5.2)', () => {
    const routes = ['<sip:out;lr>', '<sip:in;lr>'];
    const first = createForwarded(requestOf({ method: 'INVITE' }), { ...changes, routes });
    assert.deepEqual(
      first.headers.slice(0, 3).map(({ key }) => key),
      ['via', 'record-route', 'record-route'],
    );
    const more = requestOf({ method: 'INVITE', headers: ['Record-Route: <sip:before;lr>'] });
    assert.deepEqual(createForwarded(more, { ...changes, routes }).list('record-route'), [
      ...routes,
      '<sip:before;lr>',
    ]);
    const register = createForwarded(requestOf({ method: 'REGISTER' }), { ...changes, routes });
    assert.deepEqual([register.list('path'), register.get('require')], [routes, 'path']);
    assert.equal(register.has('record-route'), false);
  });

  test('an application’s fields: single ones replace, others are added, the dialog’s are not heard', () => {
    const headers = [
      ['Subject', 'ours'],
      ['P-Asserted-Identity', '<sip:a@localhost>'],
      ['X-New', '1'],
      ['To', '<sip:other@x>'],
      ['Max-Forwards', '200'],
    ].map(([name, value]) => ({ name: name!, key: name!.toLowerCase(), value: value! }));
    const request = requestOf({ method: 'INVITE', headers: ['Subject: theirs', 'X-New: 0'] });
    const sent = createForwarded(request, { ...changes, headers });
    assert.deepEqual(sent.getAll('subject'), ['ours']);
    assert.deepEqual(sent.getAll('x-new'), ['0', '1']);
    assert.equal(sent.get('p-asserted-identity'), '<sip:a@192.0.2.1:5060>');
    assert.deepEqual(sent.getAll('to'), request.getAll('to'));
    assert.deepEqual(sent.getAll('max-forwards'), ['69']);
  });
});

describe('RFC 3261 §16.4, §16.6 item 6: routes', () => {
  const isOurs = (uri: string): boolean => uri.startsWith('sip:us');

  test('our entries on top are taken off, others stay', () => {
    const request = requestOf({
      headers: ['Route: <sip:us;lr>, <sip:us;transport=tcp;lr>', 'Route: <sip:next;lr>'],
    });
    removeOwnRoutes(request, isOurs);
    assert.deepEqual(request.list('route'), ['<sip:next;lr>']);
    assert.equal(nextHopUri(request), 'sip:next;lr');
  });

  test('a strict router before us: the last route is the target', () => {
    const request = requestOf({ uri: 'sip:us;lr', headers: ['Route: <sip:next;lr>, <sip:bob@192.0.2.3>'] });
    removeOwnRoutes(request, isOurs);
    assert.equal(request.requestUri, 'sip:bob@192.0.2.3');
    assert.deepEqual(request.list('route'), ['<sip:next;lr>']);
  });

  test('a strict router behind us: it becomes the Request-URI, the target the last route', () => {
    const request = requestOf({ uri: 'sip:bob@192.0.2.3', headers: ['Route: <sip:strict>, <sip:far;lr>'] });
    assert.equal(nextHopUri(request), 'sip:strict');
    assert.equal(request.requestUri, 'sip:strict');
    assert.deepEqual(request.list('route'), ['<sip:far;lr>', '<sip:bob@192.0.2.3>']);
  });
});

describe('RFC 5658 §3: Record-Route for both sides', () => {
  const routes = new RecordRoutes('secret');
  const facts = {
    callId: 'c',
    isSecure: false,
    from: UDP_END,
    to: UDP_END,
    nearest: 1,
    back: undefined,
    ahead: undefined,
  };
  const uriOf = (entry: string | undefined): string => /<(.*)>/.exec(entry ?? '')![1]!;

  test('one entry where the ends are the same, else the one towards the callee first', () => {
    assert.equal(routes.entries(facts).length, 1);
    const [top, second] = routes.entries({ ...facts, to: TLS_END });
    assert.match(top!, /^<sip:\[2001:db8::1\]:5061;transport=tls;lr;tok=/);
    assert.match(second!, /^<sip:192\.0\.2\.1:5060;lr;tok=/);
  });

  test('RFC 3261 §16.6 item 4: sips: for a sips: request', () => {
    const [entry] = routes.entries({ ...facts, isSecure: true, from: TLS_END, to: TLS_END });
    assert.match(entry!, /^<sips:\[2001:db8::1\]:5061;lr;tok=/);
  });

  test('ours are known by Call-ID and secret, and say how near a hop may be', () => {
    const uri = uriOf(routes.entries(facts)[0]);
    assert.deepEqual(routes.read(uri, 'c'), { nearest: 1, way: undefined });
    assert.deepEqual(new RecordRoutes('secret').read(uri, 'c'), { nearest: 1, way: undefined });
    assert.equal(routes.read(uri, 'd'), undefined);
    assert.equal(new RecordRoutes('other').read(uri, 'c'), undefined);
    assert.equal(routes.read(uri.replace(/tok=1/, 'tok=2'), 'c'), undefined);
    for (const odd of [
      'sip:us;lr',
      'sip:us;tok=;lr',
      'sip:us;tok=%00',
      'sip:us;tok=%ff%ff',
      'nonsense;tok=1',
    ])
      assert.equal(routes.read(odd, 'c'), undefined, odd);
  });

  test('RFC 5626 §5.1: the one towards the caller tells the way back, which cannot be forged', () => {
    const back = { protocol: 'wss', address: '2001:db8::7', port: 40_000, flow: 12 } as const;
    const [top, second] = routes.entries({ ...facts, to: TLS_END, back }).map(uriOf);
    assert.equal(routes.read(top!, 'c')?.way, undefined);
    assert.deepEqual(routes.read(second!, 'c')?.way, back);
    assert.equal(routes.read(second!.replace('-12-', '-13-'), 'c'), undefined);
    assert.equal(routes.read(second!.replace(/;way=[^;]*/, ''), 'c'), undefined);
    // Another run has other connections; an address stays what it is.
    assert.deepEqual(new RecordRoutes('secret').read(second!, 'c'), { nearest: 1, way: undefined });
    const nat = { protocol: 'udp', address: '192.0.2.7', port: 1024 } as const;
    const [entry] = routes.entries({ ...facts, back: nat }).map(uriOf);
    assert.deepEqual(new RecordRoutes('secret').read(entry!, 'c')?.way, nat);
    // Both parties have a connection to the same end of ours.
    const both = routes.entries({ ...facts, back, ahead: { ...back, flow: 13 } }).map(uriOf);
    assert.deepEqual(
      both.map((uri) => routes.read(uri, 'c')?.way?.flow),
      [13, 12],
    );
  });
});

describe('RFC 5393 §4.2: loops', () => {
  const detector = new LoopDetector();
  const again = (request: SipRequest, tail: string): SipRequest => {
    request.prepend('Via', `SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKabc${tail}`);
    return request.prepend('Via', 'SIP/2.0/UDP 192.0.2.8;branch=z9hG4bKother');
  };

  test('the same request by whatever way is a loop; with another Request-URI, Route or CSeq it is none', () => {
    const options = { method: 'INVITE', callId: 'x' };
    const tail = detector.branchTail(requestOf(options));
    const back = again(requestOf(options), tail);
    assert.equal(detector.isLoop(back, detector.branchTail(back)), true);
    for (const other of [{ uri: 'sip:else@x' }, { cseq: 2 }, { headers: ['Route: <sip:a;lr>'] }]) {
      const spiral = again(requestOf({ ...options, ...other }), tail);
      assert.equal(detector.isLoop(spiral, detector.branchTail(spiral)), false);
    }
    assert.equal(new LoopDetector().branchTail(requestOf(options)) === tail, false);
  });
});

describe('RFC 3261 §16.7 item 4: targets of a redirect', () => {
  const from = { uri: 'sip:a@x', requestUri: 'sip:a@x', depth: 0, nearest: undefined };
  const targets = (contacts: string, target = from): string[] =>
    redirectTargets(new SipResponse(302, 'x').append('Contact', contacts), target, [target], 1).map(
      ({ uri }) => uri,
    );

  test('by q, no one twice, none that was tried, nothing that is not SIP', () => {
    const contacts =
      '<sip:b@x>;q=0.1, <mailto:c@x>, <sip:d@x>;q=0.5, <sip:D@x>, <SIP:a@X>, <sip:d@x>, <tel:+1>';
    assert.deepEqual(targets(contacts), ['sip:D@x', 'sip:d@x', 'sip:b@x']);
    assert.deepEqual(targets('<sip:b@x?Subject=evil>'), ['sip:b@x']);
    assert.deepEqual(targets('*'), []);
  });

  test('sips: does not lead to sip:; five in a row are enough; ten Contacts are enough', () => {
    assert.deepEqual(targets('<sip:b@x>, <sips:c@x>', { ...from, requestUri: 'sips:a@x' }), ['sips:c@x']);
    assert.deepEqual(targets('<sip:b@x>', { ...from, depth: 5 }), []);
    const many = Array.from({ length: 30 }, (_, i) => `<sip:${i}@x>`).join(', ');
    assert.equal(targets(many).length, 10);
  });
});

describe('a hop nearer to us than both parties of the call', () => {
  test('is refused with 403: nobody has us knock at our own doors', () => {
    const counters = createCoreCounters();
    const hop = { protocol: 'udp', address: '127.0.0.1', port: 6379 } as const;
    const ctx = {
      counters,
      clock: { clearTimeout: () => {} },
      registeredFlows: { find: () => undefined },
      resolve: () => hop,
      nearness: () => 2,
    } as unknown as CoreContext;
    const owner = { ctx, branchTail: '' } as unknown as BranchOwner;
    const branch = new Branch(owner, { uri: 'sip:x', requestUri: 'sip:x', depth: 0, nearest: 1 }, 1);
    branch.start();
    assert.equal(branch.outcome?.statusCode, 403);
    assert.equal(counters.hopsRefused, 1);
  });
});

describe('the frame `proxy`', () => {
  const parse = (text: string) => parseProxyCommand(text.split('|'), []);

  test('flags, time-outs and destinations', () => {
    const { txnId, fullResponse, order } = parse(
      't|remainInDialog|fullResponse|followRedirects|simultaneous|1s|250ms|sip:a|sip:sips:b|c:5070|tel:+1',
    )!;
    assert.deepEqual([txnId, fullResponse], ['t', true]);
    assert.deepEqual(order, {
      destinations: ['sip:a', 'sips:b', 'sip:c:5070', 'tel:+1'],
      headers: [],
      recordRoute: true,
      followRedirects: true,
      simultaneous: true,
      provisionalTimeoutMs: 1000,
      finalTimeoutMs: 250,
    });
    const plain = parse('t||||serial|||sip:a')!;
    assert.deepEqual(
      [plain.fullResponse, plain.order.recordRoute, plain.order.simultaneous],
      [false, false, false],
    );
  });

  test('odd time-outs are none, long ones bounded; missing fields are refused; destinations are bounded', () => {
    for (const odd of ['5', 's', '-1s', '0s', '1m', '1e3s'])
      assert.equal(parse(`t||||serial|${odd}||sip:a`)!.order.provisionalTimeoutMs, undefined, odd);
    assert.equal(parse('t||||serial||999999999s|sip:a')!.order.finalTimeoutMs, MAX_TIMEOUT_MS);
    for (const short of ['', 't', 't||||serial||', 't||||serial|||', '||||serial|||sip:a'])
      assert.equal(parse(short), undefined, short);
    assert.equal(parse(`t||||serial||${'|sip:a'.repeat(500)}`)!.order.destinations.length, MAX_TARGETS);
  });
});
