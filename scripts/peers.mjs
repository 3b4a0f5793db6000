// The real programs that tests talk to, by Debian package; installs the missing ones where apt and root allow it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Program to look for in PATH -> Debian package that brings it. */
export const PEERS = {
  sipp: 'sip-tester',
  'redis-server': 'redis-server',
  baresip: 'baresip-core',
  rtpengine: 'rtpengine-daemon',
  telnet: 'telnet',
  nc: 'netcat-openbsd',
  ssh: 'openssh-client',
  tshark: 'tshark',
  script: 'bsdutils',
  chromium: 'chromium',
  kamailio: 'kamailio',
  xmllint: 'libxml2-utils',
};

const PATHS = `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin`.split(':');

/** Whether a program stands in PATH. */
export function hasProgram(name) {
  return PATHS.some((dir) => existsSync(`${dir}/${name}`));
}

/** Programs that are still missing after trying to install them. */
export function preparePeers() {
  const missing = Object.keys(PEERS).filter((name) => !hasProgram(name));
  if (missing.length === 0 || !hasProgram('apt-get')) return missing;
  const packages = [...new Set(missing.map((name) => PEERS[name]))];
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  process.stdout.write(`Installing test peers through apt: ${packages.join(' ')} …\n`);
  const run = (...args) => {
    const [command, ...rest] = [...sudo, ...args];
    return (
      spawnSync(command, rest, {
        stdio: ['ignore', 'ignore', 'inherit'],
        // A package may start its service when it is installed; tests start their own, so none is wanted.
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      }).status === 0
    );
  };
  if (!run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages)) {
    run('apt-get', 'update', '-qq');
    run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages);
  }
  return missing.filter((name) => !hasProgram(name));
}
