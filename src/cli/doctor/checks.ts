import { getServers } from 'node:dns';
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { isAlive, readRunFacts } from '../../app/run-file.js';
import { serverIpOf } from '../../app/server-ip.js';
import { bracket } from '../../config/describe.js';
import type { Config } from '../../config/schema.js';
import { createMediaRelay } from '../../media/create.js';
import { systemClock } from '../../platform/clock.js';
import { errorMessage } from '../../platform/errors.js';
import { localAddresses } from '../../platform/local-address.js';
import { silentLogger } from '../../platform/logger.js';
import { parseEngineUrl } from '../../signalling/engine-url.js';
import { withStore } from '../with-store.js';
import { checkCertificate } from './check-certificate.js';
import type { Finding } from './finding.js';
import { answersDns, canBind, canConnect } from './probe.js';

/** Finds nothing where there is nothing to look at. */
export type Check = (config: Config) => Promise<Finding> | Finding | undefined;

/** Open files: one for each RTP and RTCP port of a call's two sides, and one for each TCP phone. */
const OPEN_FILES_MIN = 4096;
const NODE_MIN = 20;

const ok = (what: string): Finding => ({ level: 'ok', what });

function isRunning(config: Config): boolean {
  const facts = readRunFacts(config.DATA_DIR);
  return facts?.sip !== undefined && isAlive(facts);
}

function checkNode(): Finding {
  const what = `Node.js ${process.versions.node}`;
  if (Number.parseInt(process.versions.node, 10) >= NODE_MIN) return ok(what);
  return { level: 'fail', what, advice: `install Node.js ${NODE_MIN} or later` };
}

function checkDataDir({ DATA_DIR }: Config): Finding {
  try {
    mkdirSync(DATA_DIR, { recursive: true, mode: 0o700 });
    accessSync(DATA_DIR, constants.W_OK);
    return ok(`DATA_DIR ${DATA_DIR} can be written`);
  } catch (error) {
    return {
      level: 'fail',
      what: `DATA_DIR ${DATA_DIR}: ${errorMessage(error)}`,
      advice: 'give it to this user, or set another DATA_DIR',
    };
  }
}

function checkServer(config: Config): Finding {
  const facts = readRunFacts(config.DATA_DIR);
  if (facts?.sip !== undefined && isAlive(facts))
    return ok(`a server runs here: pid ${facts.pid}, ${facts.sip.join(' ')}`);
  return {
    level: 'warn',
    what: `no server runs on ${config.DATA_DIR}`,
    advice: 'start one: npm start, or pm2 start ecosystem.config.cjs',
  };
}

function checkAddress(config: Config): Finding {
  const { SERVER_IP, EXTERNAL_IP } = config;
  const address = serverIpOf(config);
  if (SERVER_IP !== undefined && !localAddresses().includes(SERVER_IP)) {
    return {
      level: 'warn',
      what: `SERVER_IP ${SERVER_IP} is no address of this machine`,
      advice: 'behind a NAT put the public address into EXTERNAL_IP',
    };
  }
  if (address.startsWith('127.')) {
    return {
      level: 'warn',
      what: `phones are told ${address}`,
      advice: 'only phones on this machine can call: set SERVER_IP',
    };
  }
  return ok(
    `phones are told ${EXTERNAL_IP ?? address}${SERVER_IP === undefined ? ' (detected; SERVER_IP sets it)' : ''}`,
  );
}

async function checkListeners(config: Config): Promise<Finding> {
  if (config.SIP_ENGINE !== 'embedded') {
    const { host, port } = parseEngineUrl(config.SIP_ENGINE);
    if (await canConnect(host, port)) return ok(`SIP engine at ${bracket(host)}:${port} takes connections`);
    return {
      level: 'fail',
      what: `no SIP engine at ${bracket(host)}:${port}`,
      advice: 'start drachtio-server or `ims engine` there, or set SIP_ENGINE',
    };
  }
  if (isRunning(config)) return ok('SIP ports are held by the running server');
  for (const { protocol, address, port } of config.SIP_LISTEN) {
    const problem = await canBind(protocol, address, port);
    if (problem !== undefined) {
      return {
        level: 'fail',
        what: `${protocol}:${bracket(address)}:${port}: ${problem}`,
        advice: '`ss -lntup` shows who holds it; or set SIP_LISTEN',
      };
    }
  }
  return ok(
    `SIP ports are free: ${config.SIP_LISTEN.map(({ protocol, port }) => `${protocol} ${port}`).join(', ')}`,
  );
}

async function checkDns({ SIP_ENGINE, DNS_SERVERS }: Config): Promise<Finding> {
  if (SIP_ENGINE !== 'embedded') return ok('host names in SIP are looked up by the SIP engine');
  const servers = DNS_SERVERS.length > 0 ? DNS_SERVERS : getServers();
  const answers = await Promise.all(servers.map(answersDns));
  const dead = servers.filter((_, i) => !answers[i]);
  const setBy = DNS_SERVERS.length > 0 ? 'set DNS_SERVERS anew' : 'mend /etc/resolv.conf, or set DNS_SERVERS';
  if (dead.length === 0 && servers.length > 0) return ok(`DNS answers: ${servers.join(', ')}`);
  return {
    level: 'warn',
    what: dead.length > 0 ? `no DNS answer from ${dead.join(', ')}` : 'there is no DNS server',
    advice: `${setBy}; without DNS, only addresses and names in /etc/hosts can be called`,
  };
}

async function checkStore(config: Config): Promise<Finding> {
  try {
    return await withStore(config, async (store) => ok(`Store answers: ${store.description}`));
  } catch (error) {
    return {
      level: 'fail',
      what: `Store: ${errorMessage(error)}`,
      advice: 'is Redis up, and is STORE_URL right?',
    };
  }
}

async function checkRelay({ MEDIA_RELAY, RTP_PORTS }: Config): Promise<Finding> {
  if (MEDIA_RELAY === 'embedded') {
    const problem = await canBind('udp', '0.0.0.0', RTP_PORTS.last - 1);
    if (problem === undefined) return ok(`built-in relay, ports ${RTP_PORTS.first}-${RTP_PORTS.last}`);
    return {
      level: 'warn',
      what: `RTP port ${RTP_PORTS.last - 1}: ${problem}`,
      advice: 'other programs use ports of RTP_PORTS; set another range',
    };
  }
  const relay = await createMediaRelay(MEDIA_RELAY, {
    clock: systemClock,
    log: silentLogger,
    address: '127.0.0.1',
    rtpPorts: { min: RTP_PORTS.first, max: RTP_PORTS.last },
  });
  try {
    const dead = (await relay.health()).filter(({ alive }) => !alive);
    if (dead.length === 0) return ok(`media relay answers: ${MEDIA_RELAY}`);
    return {
      level: 'fail',
      what: `no answer from ${dead.map(({ name }) => name).join(', ')}`,
      advice: 'start RTPProxy or `ims relay` there, or set MEDIA_RELAY',
    };
  } finally {
    await relay.close();
  }
}

function checkOpenFiles(): Finding {
  let limit = Number.POSITIVE_INFINITY;
  try {
    limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? limit);
  } catch {
    return ok('open files: not known on this system');
  }
  if (limit >= OPEN_FILES_MIN) return ok(`open files: ${limit}`);
  return {
    level: 'warn',
    what: `open files: ${limit}`,
    advice: `raise the limit to ${OPEN_FILES_MIN} or more (ulimit -n, LimitNOFILE)`,
  };
}

/** In the order in which they are shown. */
export const CHECKS: readonly Check[] = [
  checkNode,
  checkDataDir,
  checkServer,
  checkAddress,
  checkListeners,
  checkDns,
  checkCertificate,
  checkRelay,
  checkStore,
  checkOpenFiles,
];
