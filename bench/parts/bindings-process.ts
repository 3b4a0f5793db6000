// Fills what keeps bindings in memory and says how much that takes: node --expose-gc bindings-process.js <count>
import { RegisteredFlows } from '../../src/engine/core/registered-flows.js';
import { BindingTable } from '../../src/registrar/binding-table.js';
import type { Binding } from '../../src/registrar/types.js';
import { parseMessage } from '../../src/sip/parser.js';
import { createResponse } from '../../src/sip/response.js';
import type { BindingStore } from '../../src/store/types.js';

const HOUR_MS = 3_600_000;
const NO_STORE = { update: () => Promise.resolve() } as unknown as BindingStore;

const count = Number(process.argv[2]);
const start = used();
const flows = new RegisteredFlows();
for (let i = 0; i < count; i++) {
  const request = parseMessage(Buffer.from(register(i), 'latin1'));
  if (request.type !== 'request') continue;
  const source = {
    address: '127.0.0.1',
    port: 1024 + (i % 60_000),
    localAddress: '127.0.0.1',
    localPort: 5060,
  };
  flows.learn(request, { ...source, protocol: 'tcp', flow: i }, createResponse(request, 200));
}
const withFlows = used();
const table = new BindingTable(NO_STORE);
for (let i = 0; i < count; i++) {
  const item = { key: `${i}`, binding: binding(i), instance: undefined };
  await table.write(binding(i).aor, { put: [item], removeKeys: [], result: [item], changes: [] });
}
const withTable = used();
// Both are still wanted here, or they would not have been counted.
if (flows.find(contact(count - 1)) === undefined || table.takeExpired().length > 0) process.exitCode = 1;
process.stdout.write(JSON.stringify({ engineBytes: withFlows - start, tableBytes: withTable - withFlows }));

function used(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function contact(i: number): string {
  return `sip:${10_000 + i}@192.0.2.${i % 250}:5060;transport=tcp`;
}

function register(i: number): string {
  return [
    'REGISTER sip:ims SIP/2.0',
    `Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK${i}`,
    `From: <sip:${10_000 + i}@ims>;tag=a${i}`,
    `To: <sip:${10_000 + i}@ims>`,
    `Call-ID: register-${i}`,
    'CSeq: 1 REGISTER',
    `Contact: <${contact(i)}>;expires=3600`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

function binding(i: number): Binding {
  const now = Date.now();
  return {
    aor: `${10_000 + i}@ims`,
    contact: contact(i),
    q: 1,
    callId: `register-${i}`,
    cseq: 1,
    expiresAt: now + HOUR_MS,
    registeredAt: now,
    protocol: 'tcp',
    address: '127.0.0.1',
    port: 1024 + (i % 60_000),
    userAgent: 'softphone/1.2',
  };
}
