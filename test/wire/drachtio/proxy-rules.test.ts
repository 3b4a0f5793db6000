import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { EngineOptions } from '../../../src/engine/engine.js';
import { type Frame, FrameClient } from '../../support/frame-client.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, headersOf, responseText, statusOf } from '../../support/sip-text.js';
import { TextPeer, tagOf } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

interface Order {
  readonly recordRoute?: boolean;
  readonly redirects?: boolean;
  readonly simultaneous?: boolean;
  readonly terse?: boolean;
  readonly headers?: readonly string[];
}

describe('what a proxy has to keep to', { skip: oursOnly }, () => {
  let engine: WireEngine;
  let client: FrameClient;
  let caller: TextPeer;
  let callees: TextPeer[];
  afterEach(async () => {
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    await engine.close();
  });

  const start = async (
    calleeCount: number,
    options: Partial<EngineOptions> = {},
    verbs = ['invite', 'options', 'register'],
  ): Promise<void> => {
    engine = await startWireEngine({ timers: FAST_TIMERS, ...options });
    client = await FrameClient.start(engine.target, verbs);
    caller = await TextPeer.open(engine.udpPort);
    callees = [];
    for (let i = 0; i < calleeCount; i++) callees.push(await TextPeer.open(engine.udpPort));
  };
  const uris = (): string[] => callees.map(({ port }) => `sip:127.0.0.1:${port}`);
  /** Has the next request proxied; resolves the id of the command. */
  const proxy = async (destinations: readonly string[], order: Order = {}): Promise<string> => {
    const frame = await client.events.next();
    return proxyAs(frame.fields[8]!, destinations, order);
  };
  const proxyAs = (txnId: string, destinations: readonly string[], order: Order = {}): string => {
    const flags = [
      order.recordRoute ? 'remainInDialog' : '',
      order.terse ? '' : 'fullResponse',
      order.redirects ? 'followRedirects' : '',
      order.simultaneous ? 'simultaneous' : 'serial',
    ];
    const headers = (order.headers ?? []).map((line) => `${line}\r\n`).join('');
    return client.send(
      `proxy|${txnId}|${flags.join('|')}|||${destinations.join('|')}`,
      `INVITE ${destinations[0]} SIP/2.0\r\n${headers}Content-Length: 0\r\n\r\n`,
    );
  };
  const answer = async (id: string): Promise<string> => {
    const { fields, sip } = await client.answersTo(id).next();
    return fields[12] === 'continue' ? `continue ${statusOf(sip)}` : fields.slice(3).join(' ');
  };
  const invites = (): Promise<string[]> => Promise.all(callees.map((callee) => callee.until(/^INVITE/)));
  const final = (): Promise<string> => caller.until(/^SIP\/2\.0 [2-6]/);
  const forked = { simultaneous: true };

  test('the frames: a result for each final response, all fields, our Via on top; then done', async () => {
    await start(1);
    caller.request();
    const id = await proxy(uris());
    const [copy] = await invites();
    callees[0]!.respond(copy!, 486);
    const { fields, sip } = await client.answersTo(id).next();
    assert.deepEqual([fields[3], fields[4], fields[6], fields[7]], ['OK', 'network', 'udp', '127.0.0.1']);
    assert.equal(fields[8], String(callees[0]!.port));
    assert.deepEqual(fields.slice(10), ['', '', 'continue']);
    assert.equal(headersOf(sip, 'Via').length, 2);
    assert.equal(await answer(id), 'OK done');
  });

  test('without fullResponse done comes at once, and no results', async () => {
    await start(1);
    caller.request();
    const id = await proxy(uris(), { terse: true });
    assert.equal(await answer(id), 'OK done');
    const [copy] = await invites();
    callees[0]!.respond(copy!, 486);
    await final();
    assert.equal(client.answersTo(id).size, 0);
  });

  test('what cannot be proxied is said so', async () => {
    await start(1);
    assert.equal(await answer(proxyAs('nobody', uris())), 'NOK Unknown transaction id: nobody');
    caller.request();
    const id = await proxy(['sip:127.0.0.1;transport=tls', 'sip:127.0.0.1;transport=sctp']);
    assert.equal(await answer(id), 'NOK error proxying request to ');
    assert.equal(statusOf(await final()), 500);
    const short = client.send('proxy|x||||serial', 'INVITE sip:a SIP/2.0\r\n\r\n');
    assert.equal(await answer(short), 'NO Invalid proxy request: not enough information provided');
    await client.closed;
  });

  test('a request that was proxied is nobody’s any more', async () => {
    await start(1);
    caller.request();
    const frame: Frame = await client.events.next();
    proxyAs(frame.fields[8]!, uris());
    assert.match(await answer(proxyAs(frame.fields[8]!, uris())), /^NOK Unknown transaction id/);
    const refused = await client.ask(`sip|${frame.fields[8]}|`, 'SIP/2.0 200 OK\r\n\r\n');
    assert.equal(refused.fields[3], 'NOK');
  });

  test('RFC 3261 §16.3 item 5: Proxy-Require is 420 with what is not supported', async () => {
    await start(1);
    caller.request({ headers: ['Proxy-Require: foo, bar'] });
    const id = await proxy(uris());
    const response = await final();
    assert.equal(statusOf(response), 420);
    assert.equal(headerOf(response, 'Unsupported'), 'foo, bar');
    assert.match(await answer(id), /^NOK Rejected with 420/);
  });

  test('RFC 3261 §16.4: our own preloaded Route is taken off, the next proxy’s stays', async () => {
    await start(1);
    const ours = `<sip:127.0.0.1:${engine.udpPort};lr>`;
    caller.request({
      uri: `sip:bob@127.0.0.1:${engine.udpPort}`,
      headers: [`Route: ${ours}, <sip:192.0.2.9;lr>`],
    });
    await proxy(uris());
    const [copy] = await invites();
    assert.match(copy!, new RegExp(`^INVITE ${uris()[0]} SIP`));
    assert.deepEqual(headersOf(copy!, 'Route'), ['<sip:192.0.2.9;lr>']);
  });

  test('RFC 3261 §16.7 item 5: a 6xx ends the search, and goes back when all branches are over', async () => {
    await start(3);
    caller.request();
    const id = await proxy(uris(), forked);
    const copies = await invites();
    callees[1]!.respond(copies[1]!, 180);
    await caller.until(/ 180 /);
    callees[0]!.respond(copies[0]!, 404);
    callees[2]!.respond(copies[2]!, 603);
    const cancel = await callees[1]!.until(/^CANCEL/);
    assert.equal(caller.udp.inbox.size, 0);
    callees[1]!.respond(cancel, 200);
    callees[1]!.respond(copies[1]!, 487);
    assert.equal(statusOf(await final()), 603);
    assert.deepEqual([await answer(id), await answer(id), await answer(id)].sort(), [
      'continue 404',
      'continue 487',
      'continue 603',
    ]);
    assert.equal(await answer(id), 'OK done');
  });

  test('RFC 3261 §16.7 item 5: a 6xx ends a serial search', async () => {
    await start(2);
    caller.request();
    await proxy(uris());
    callees[0]!.respond(await callees[0]!.until(/^INVITE/), 600);
    assert.equal(statusOf(await final()), 600);
    assert.equal(callees[1]!.udp.inbox.size, 0);
  });

  test('RFC 3261 §16.7 item 6: a 503 alone goes back as 500', async () => {
    await start(1);
    caller.request();
    await proxy(uris());
    const [copy] = await invites();
    callees[0]!.respond(copy!, 503);
    assert.equal(statusOf(await final()), 500);
  });

  test('RFC 3261 §16.7 item 7: the challenges of all branches go back in one response', async () => {
    await start(3);
    caller.request();
    await proxy(uris(), forked);
    const copies = await invites();
    callees[0]!.respond(copies[0]!, 401, { headers: ['WWW-Authenticate: Digest realm="a", nonce="1"'] });
    callees[1]!.respond(copies[1]!, 404);
    callees[2]!.respond(copies[2]!, 407, { headers: ['Proxy-Authenticate: Digest realm="b", nonce="2"'] });
    const response = await final();
    assert.ok([401, 407].includes(statusOf(response)!));
    assert.equal(headersOf(response, 'WWW-Authenticate').length, 1);
    assert.equal(headersOf(response, 'Proxy-Authenticate').length, 1);
  });

  test('a 401 ends a serial search, and the answer to it goes to the same destination', async () => {
    await start(3);
    const callId = 'challenged@test';
    const invite = caller.request({ callId });
    await proxy(uris());
    callees[0]!.respond(await callees[0]!.until(/^INVITE/), 486);
    const challenge = 'WWW-Authenticate: Digest realm="a", nonce="n1"';
    callees[1]!.respond(await callees[1]!.until(/^INVITE/), 401, { headers: [challenge] });
    const response = await final();
    assert.equal(statusOf(response), 401);
    caller.acknowledge(invite, response);
    await callees[1]!.until(/^ACK/);
    caller.request({
      callId,
      cseq: 2,
      headers: ['Authorization: Digest realm="a", nonce="n1", response="x"'],
    });
    await proxy(uris());
    callees[1]!.respond(await callees[1]!.until(/^INVITE/), 200);
    assert.equal(statusOf(await final()), 200);
    while (callees[0]!.udp.inbox.size > 0)
      assert.match(headerOf(await callees[0]!.next(), 'CSeq')!, /^1 /, 'not asked again');
    assert.equal(callees[2]!.udp.inbox.size, 0);
  });

  test('RFC 5393 §5.3.3: Max-Breadth is shared by the branches; what has no part waits', async () => {
    await start(3);
    caller.request({ headers: ['Max-Breadth: 2'] });
    await proxy(uris(), forked);
    const copies = [await callees[0]!.until(/^INVITE/), await callees[1]!.until(/^INVITE/)];
    assert.deepEqual(
      copies.map((copy) => headerOf(copy, 'Max-Breadth')),
      ['1', '1'],
    );
    assert.equal(callees[2]!.udp.inbox.size, 0);
    callees[0]!.respond(copies[0]!, 486);
    assert.equal(headerOf(await callees[2]!.until(/^INVITE/), 'Max-Breadth'), '1');
  });

  test('RFC 5393 §5.3.1, §5.3.3: 60 where the request does not say, 440 for none', async () => {
    await start(2);
    const invite = caller.request();
    await proxy(uris(), forked);
    const copies = await invites();
    assert.deepEqual(
      copies.map((copy) => headerOf(copy, 'Max-Breadth')),
      ['30', '30'],
    );
    for (const [i, callee] of callees.entries()) callee.respond(copies[i]!, 486);
    caller.acknowledge(invite, await final());
    caller.request({ headers: ['Max-Breadth: 0'] });
    const id = await proxy(uris(), forked);
    assert.equal(statusOf(await final()), 440);
    assert.match(await answer(id), /^NOK Rejected with 440/);
  });

  test('RFC 3261 §16.8: timer C: a branch that rings for ever is cancelled', async () => {
    await start(1, { timers: { ...FAST_TIMERS, timerCMs: 200 } });
    caller.request();
    await proxy(uris());
    const [copy] = await invites();
    callees[0]!.respond(copy!, 180);
    await caller.until(/ 180 /);
    const cancel = await callees[0]!.until(/^CANCEL/);
    callees[0]!.respond(cancel, 200);
    callees[0]!.respond(copy!, 487);
    assert.equal(statusOf(await final()), 487);
  });

  test('RFC 3261 §16.7 item 5: a 200 that crosses the CANCEL goes to the caller', async () => {
    await start(1);
    const invite = caller.request();
    await proxy(uris());
    const [copy] = await invites();
    callees[0]!.respond(copy!, 180);
    await caller.until(/ 180 /);
    caller.send(invite.replace(/^INVITE/, 'CANCEL').replace(/^(CSeq: \d+) INVITE/m, '$1 CANCEL'));
    await callees[0]!.until(/^CANCEL/);
    callees[0]!.respond(copy!, 200);
    const isToInvite = (text: string): boolean => /INVITE/.test(headerOf(text, 'CSeq')!);
    let response = await final();
    if (!isToInvite(response)) response = await final();
    assert.deepEqual([statusOf(response), isToInvite(response)], [200, true]);
  });

  test('RFC 3261 §16.7 item 5: a 200 goes to the caller even behind a 487 of ours', async () => {
    await start(1);
    const invite = caller.request();
    await proxy(uris());
    const [copy] = await invites();
    caller.send(invite.replace(/^INVITE/, 'CANCEL').replace(/^(CSeq: \d+) INVITE/m, '$1 CANCEL'));
    await caller.until(/ 487 /);
    callees[0]!.respond(copy!, 200);
    let ok = await caller.until(/ 200 /);
    while (/CANCEL/.test(headerOf(ok, 'CSeq')!)) ok = await caller.until(/ 200 /);
    assert.match(headerOf(ok, 'CSeq')!, /INVITE/);
  });

  test('RFC 3261 §17.2.1: a repeated INVITE gets the last response again', async () => {
    await start(1);
    const invite = caller.request();
    await proxy(uris());
    const [copy] = await invites();
    callees[0]!.respond(copy!, 183);
    assert.equal(statusOf(await caller.next()), 183);
    caller.send(invite);
    assert.equal(statusOf(await caller.next()), 183);
  });

  test('RFC 3262 §3: reliable provisionals pass as they are, their PRACKs by the routes', async () => {
    await start(1);
    const invite = caller.request({ headers: ['Supported: 100rel'] });
    await proxy(uris(), { recordRoute: true });
    const [copy] = await invites();
    const routes = headersOf(copy!, 'Record-Route').map((value) => `Record-Route: ${value}`);
    callees[0]!.respond(copy!, 183, { headers: [...routes, 'RSeq: 77', 'Require: 100rel'] });
    const ringing = await caller.until(/ 183 /);
    assert.equal(headerOf(ringing, 'RSeq'), '77');
    const route = `Route: ${headerOf(ringing, 'Record-Route')}`;
    caller.inDialog(invite, ringing, 'PRACK', 2, [route, 'RAck: 77 1 INVITE']);
    const prack = await callees[0]!.until(/^PRACK/);
    assert.equal(headerOf(prack, 'RAck'), '77 1 INVITE');
    callees[0]!.respond(prack, 200);
    assert.match(headerOf(await caller.until(/ 200 /), 'CSeq')!, /PRACK/);
  });

  test('the Contacts of a redirect come before the next destination', async () => {
    await start(3);
    caller.request();
    await proxy(uris().slice(0, 2), { redirects: true });
    const copy = await callees[0]!.until(/^INVITE/);
    const contact = `Contact: <${uris()[2]}>`;
    callees[0]!.send(responseText(copy, 302, { headers: [contact] }));
    callees[2]!.respond(await callees[2]!.until(/^INVITE/), 404);
    callees[1]!.respond(await callees[1]!.until(/^INVITE/), 486);
    assert.equal(statusOf(await final()), 404);
  });

  test('a redirect of a redirect of a redirect comes to an end', async () => {
    await start(1);
    caller.request();
    const id = await proxy(uris(), { redirects: true });
    const callee = callees[0]!;
    const seen = new Set<string>();
    callee.udp.onMessage = (text) => {
      const branch = headersOf(text, 'Via')[0]!;
      if (!text.startsWith('INVITE') || seen.has(branch)) return;
      seen.add(branch);
      const contact = `Contact: <sip:hop${seen.size}@127.0.0.1:${callee.port}>`;
      callee.respond(text, 302, { headers: [contact] });
      // The first Contact of `respond` is this phone without a user.
    };
    assert.equal(statusOf(await final()), 302);
    await waitFor('the last result', () => client.answersTo(id).size >= seen.size);
    // Two Contacts each time, one of them new, and five redirects in a row from each of the first two.
    assert.equal(seen.size, 11);
  });

  test('a response that has lost the Vias below ours goes nowhere', async () => {
    await start(1);
    caller.request();
    await proxy(uris());
    const [copy] = await invites();
    const vias = headersOf(copy!, 'Via');
    callees[0]!.respond(copy!.replace(`Via: ${vias[1]}\r\n`, ''), 200, { toTag: 'bad' });
    callees[0]!.respond(copy!, 200, { toTag: 'good' });
    assert.equal(tagOf(headerOf(await final(), 'To')!), 'good');
  });

  test('when all is over nothing is left behind', async () => {
    await start(2, { timers: { ...FAST_TIMERS, t1Ms: 5, t2Ms: 40, t4Ms: 50 } });
    const invite = caller.request();
    await proxy(uris(), forked);
    const copies = await invites();
    callees[0]!.respond(copies[0]!, 486);
    callees[1]!.respond(copies[1]!, 404);
    caller.acknowledge(invite, await final());
    await waitFor('the end of the transactions', () => {
      const { proxiedRequests, transactions, pendingRequests } = engine.stats();
      const open = [transactions.inviteClient, transactions.inviteServer].flatMap((states) =>
        Object.values(states),
      );
      return proxiedRequests === 0 && pendingRequests === 0 && open.every((count) => count === 0);
    });
  });
});
