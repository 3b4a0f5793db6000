import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** TCP ports that a process of this machine listens on, as Linux tells it. */
export function listeningTcpPorts(pid: number): number[] {
  const sockets = socketsOf(pid);
  const rows = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1),
  );
  const ports = rows.flatMap((row) => {
    const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
    // State 0A is LISTEN.
    return state === '0A' && sockets.has(`socket:[${inode}]`) ? [parseInt(local!.split(':')[1]!, 16)] : [];
  });
  return [...new Set(ports)];
}

/** UDP ports that somebody on this machine has bound, IPv4. */
export function boundUdpPorts(): ReadonlySet<number> {
  const rows = readFileSync('/proc/net/udp', 'utf8').split('\n').slice(1).filter(Boolean);
  return new Set(rows.map((row) => parseInt(row.trim().split(/\s+/)[1]!.split(':')[1]!, 16)));
}

/** How many IPv4 UDP sockets of this process are connected to a port. */
export function connectedUdpSockets(port: number): number {
  const sockets = socketsOf(process.pid);
  const rows = readFileSync('/proc/net/udp', 'utf8').split('\n').slice(1).filter(Boolean);
  const inodes = rows.flatMap((row) => {
    const [, , remote, , , , , , , inode] = row.trim().split(/\s+/);
    return parseInt(remote!.split(':')[1]!, 16) === port && sockets.has(`socket:[${inode}]`) ? [inode] : [];
  });
  // A row may come twice when sockets open and close meanwhile.
  return new Set(inodes).size;
}

/** `socket:[inode]` of each socket that a process has. */
function socketsOf(pid: number): ReadonlySet<string> {
  return new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)));
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // It was closed meanwhile.
    return '';
  }
}
