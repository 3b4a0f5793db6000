import type { TimelineEvent } from '../../cdr/types.js';

/** One event of a call's timeline as a short line; the same in both languages, for it quotes the protocol. */
export function timelineText(event: TimelineEvent): string {
  switch (event.kind) {
    case 'received':
      return `${event.method} from ${event.callerNumber} (${event.address}:${event.port}/${event.transport}) to ${event.dialledNumber}`;
    case 'authenticated':
      return `authenticated as ${event.username}`;
    case 'originated':
      return `begun by the server for ${event.by}`;
    case 'routed':
      return `routed to ${event.calleeUri} (${event.direction})`;
    case 'picked-up':
      return `${event.leg}: picked up by ${event.by}`;
    case 'transferred':
      return `transferred by ${event.by} to ${event.to}`;
    case 'diverted':
      return `forwarded by ${event.by} to ${event.to} (${event.reason})`;
    case 'attempt':
      return `${event.leg}: INVITE to ${event.contact} (${event.address}:${event.port}/${event.transport})`;
    case 'ringing':
      return `${event.leg}: ringing (${event.status})`;
    case 'attempt-ended':
      return `${event.leg}: final answer ${event.status} ${event.reason}`;
    case 'answered':
      return `${event.leg}: answered${event.userAgent ? ` by ${event.userAgent}` : ''}`;
    case 'announced':
      return `caller told: ${event.name}`;
    case 'conference':
      return `conference room ${event.room}`;
    case 'acknowledged':
      return 'acknowledged';
    case 'restored':
      return `goes on after a restart, ${(event.awayMs / 1000).toFixed(1)} s without a server`;
    case 'reinvite':
      return `re-INVITE by ${event.by}`;
    case 'held':
    case 'resumed':
      return `${event.kind} by ${event.by}`;
    case 'dtmf':
      return `${event.digits} DTMF digits by ${event.by}`;
    case 'media':
      return `media: ${event.streams.map((stream) => `${stream.kind} ${stream.codec ?? '?'}`).join(', ')}`;
    case 'ended':
      return `ended by ${event.by}: ${event.status} ${event.reason} (${event.result}, ${event.releaseReason})`;
    case 'noted': {
      // A message's body is not for consoles.
      const { expires, extra = {} } = event.facts;
      const facts = Object.entries({ ...(expires !== undefined && { expires }), ...extra });
      return `noted ${facts.map(([name, value]) => `${name}=${value}`).join(' ')}`.trim();
    }
    case 'message':
      return `${event.leg}: ${event.sent ? 'sent' : 'got'} ${event.summary}`;
  }
}
