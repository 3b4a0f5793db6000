import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Inbox } from './inbox.js';
import { programPath } from './peers.js';

/** What the page is told in its address. */
export interface BrowserAccount {
  /** `ws://127.0.0.1:5062/` */
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

/**
 * Runs in the browser, as JavaScript of today alone: registers by digest, answers calls and messages, and reports the
 * first line of all it hears by POST. Only what a phone's library would do on the wire.
 */
const SCRIPT = String.raw`
const { url, username, password } = Object.fromEntries(new URLSearchParams(location.search));
const host = Math.random().toString(36).slice(2) + '.invalid';
const protocol = url.startsWith('wss') ? 'WSS' : 'WS';
const contact = '<sip:' + username + '@' + host + ';transport=ws>';
const callId = Math.random().toString(36).slice(2);
const report = (text) => fetch('/report', { method: 'POST', body: text });
const socket = new WebSocket(url, 'sip');
let seq = 0;

const sha256 = async (text) =>
  [...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))]
    .map((octet) => octet.toString(16).padStart(2, '0')).join('');

function register(more = '') {
  const branch = 'z9hG4bK' + Math.random().toString(36).slice(2);
  socket.send(['REGISTER sip:127.0.0.1 SIP/2.0', 'Via: SIP/2.0/' + protocol + ' ' + host + ';branch=' + branch,
    'Max-Forwards: 70', 'From: <sip:' + username + '@127.0.0.1>;tag=browser', 'To: <sip:' + username + '@127.0.0.1>',
    'Call-ID: ' + callId, 'CSeq: ' + ++seq + ' REGISTER', 'Contact: ' + contact, 'Expires: 300',
    'Supported: outbound, path', 'User-Agent: ' + navigator.userAgent.replace(/\s/g, '_')].join('\r\n') + '\r\n' + more + '\r\n');
}

async function meet(challenges) {
  const challenge = challenges.find((value) => value.includes('SHA-256'));
  const of = (name) => new RegExp(name + '="?([^",]+)').exec(challenge)?.[1];
  const [realm, nonce, cnonce] = [of('realm'), of('nonce'), 'c' + Math.random()];
  const uri = 'sip:127.0.0.1';
  const one = await sha256(username + ':' + realm + ':' + password);
  const response = await sha256([one, nonce, '00000001', cnonce, 'auth', await sha256('REGISTER:' + uri)].join(':'));
  register('Authorization: Digest username="' + username + '", realm="' + realm + '", nonce="' + nonce + '", uri="' + uri +
    '", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="' + cnonce + '", response="' + response + '"\r\n');
}

function respond(request, status, body = '') {
  const kept = request.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq|Record-Route):/i.test(line));
  const to = request.split('\r\n').find((line) => /^To:/i.test(line));
  const type = body ? ['Content-Type: application/sdp'] : [];
  socket.send(['SIP/2.0 ' + status + ' Browser', ...kept, to.includes(';tag=') ? to : to + ';tag=b' + callId,
    'Contact: ' + contact, ...type, 'Content-Length: ' + body.length].join('\r\n') + '\r\n\r\n' + body);
}

socket.onopen = () => report('open ' + socket.protocol).then(() => register());
socket.onclose = (event) => report('closed ' + event.code);
socket.onmessage = async ({ data }) => {
  if (!data.trim()) return report('pong');
  const first = data.slice(0, data.indexOf('\r\n'));
  await report(typeof data + ' ' + first);
  if (first.startsWith('SIP/2.0 401')) return meet(data.split('\r\n').filter((line) => /^WWW-Authenticate:/i.test(line)));
  const method = first.split(' ')[0];
  if (method === 'INVITE') {
    respond(data, 180);
    respond(data, 200, 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40002 RTP/AVP 0\r\n');
  } else if (!['SIP/2.0', 'ACK'].includes(method)) respond(data, 200);
};
window.ping = setInterval(() => socket.readyState === 1 && socket.send('\r\n\r\n'), 1000);
`;

/** A phone in a real browser: a page whose script speaks SIP over a WebSocket. */
export class BrowserPhone {
  /** What the page reports, in order. */
  readonly reports = new Inbox<string>();
  private browser: ChildProcess | undefined;
  private readonly profile = mkdtempSync(join(tmpdir(), 'ims-browser-'));

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      if (request.method !== 'POST') {
        response.setHeader('Content-Type', 'text/html');
        response.end(`<!doctype html><meta charset="utf-8"><script type="module">${SCRIPT}</script>`);
        return;
      }
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        this.reports.push(text);
        response.end();
      });
    });
  }

  /** Serves the page; the browser starts with `open`. The caller closes it. */
  static async serve(): Promise<BrowserPhone> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new BrowserPhone(server);
  }

  /** That of the page. */
  get origin(): string {
    const address = this.server.address();
    return `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  }

  /** Opens the page in a browser that takes any certificate. */
  open(account: BrowserAccount): void {
    const page = `${this.origin}/?${new URLSearchParams({ ...account })}`;
    const quiet = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
    ];
    const local = ['--ignore-certificate-errors', '--no-proxy-server', '--disable-background-networking'];
    const profile = `--user-data-dir=${this.profile}`;
    this.browser = spawn(programPath('chromium'), [...quiet, ...local, profile, page], {
      stdio: 'ignore',
      detached: true,
    });
  }

  /** The next report that matches; others before it are dropped. */
  async until(pattern: RegExp, timeoutMs = 20_000): Promise<string> {
    for (;;) {
      const text = await this.reports.next(timeoutMs);
      if (pattern.test(text)) return text;
    }
  }

  async close(): Promise<void> {
    const { browser } = this;
    if (browser?.pid !== undefined && browser.exitCode === null) {
      const exited = once(browser, 'exit');
      // Its helpers are in its process group.
      process.kill(-browser.pid, 'SIGKILL');
      await exited;
    }
    this.server.closeAllConnections();
    this.server.close();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
