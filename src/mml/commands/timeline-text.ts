import type { TimelineEvent } from '../../cdr/types.js';
import { type Bilingual, text } from '../text.js';

/** One event of a call's timeline as a short line; what quotes the protocol or a record is the same in both languages. */
export function timelineText(event: TimelineEvent): Bilingual {
  switch (event.kind) {
    case 'received': {
      const { method, callerNumber, dialledNumber } = event;
      const source = `${event.address}:${event.port}/${event.transport}`;
      return text(
        `${method} from ${callerNumber} (${source}) to ${dialledNumber}`,
        `${method}：${callerNumber}（${source}）呼叫 ${dialledNumber}`,
      );
    }
    case 'authenticated':
      return text(`authenticated as ${event.username}`, `鉴权通过：${event.username}`);
    case 'originated':
      return text(`begun by the server for ${event.by}`, `由服务器代 ${event.by} 发起`);
    case 'routed':
      return text(
        `routed to ${event.calleeUri} (${event.direction})`,
        `路由到 ${event.calleeUri}（${event.direction}）`,
      );
    case 'picked-up':
      return text(`${event.leg}: picked up by ${event.by}`, `${event.leg}：由 ${event.by} 代答`);
    case 'transferred':
      return text(`transferred by ${event.by} to ${event.to}`, `由 ${event.by} 转接到 ${event.to}`);
    case 'diverted':
      return text(
        `forwarded by ${event.by} to ${event.to} (${event.reason})`,
        `由 ${event.by} 前转到 ${event.to}（${event.reason}）`,
      );
    case 'attempt': {
      const target = `${event.contact} (${event.address}:${event.port}/${event.transport})`;
      return text(`${event.leg}: INVITE to ${target}`, `${event.leg}：向 ${target} 发送 INVITE`);
    }
    case 'ringing':
      return text(`${event.leg}: ringing (${event.status})`, `${event.leg}：振铃（${event.status}）`);
    case 'attempt-ended':
      return text(
        `${event.leg}: final answer ${event.status} ${event.reason}`,
        `${event.leg}：最终响应 ${event.status} ${event.reason}`,
      );
    case 'answered': {
      const { leg, userAgent } = event;
      return text(
        `${leg}: answered${userAgent ? ` by ${userAgent}` : ''}`,
        `${leg}：应答${userAgent ? `（${userAgent}）` : ''}`,
      );
    }
    case 'announced':
      return text(`caller told: ${event.name}`, `向主叫放音：${event.name}`);
    case 'conference':
      return text(`conference room ${event.room}`, `会议室 ${event.room}`);
    case 'acknowledged':
      return text('acknowledged', '收到 ACK');
    case 'restored': {
      const seconds = (event.awayMs / 1000).toFixed(1);
      return text(
        `goes on after a restart, ${seconds} s without a server`,
        `重启后继续，无服务器 ${seconds} 秒`,
      );
    }
    default:
      return laterText(event);
  }
}

type LaterKind = 'reinvite' | 'held' | 'resumed' | 'dtmf' | 'media' | 'ended' | 'noted' | 'message';

/** What comes while the parties talk, and the end. */
function laterText(event: Extract<TimelineEvent, { kind: LaterKind }>): Bilingual {
  switch (event.kind) {
    case 'reinvite':
      return text(`re-INVITE by ${event.by}`, `${event.by} 发送 re-INVITE`);
    case 'held':
      return text(`held by ${event.by}`, `${event.by} 保持通话`);
    case 'resumed':
      return text(`resumed by ${event.by}`, `${event.by} 恢复通话`);
    case 'dtmf':
      return text(
        `${event.digits} DTMF digits by ${event.by}`,
        `${event.by} 发送 ${event.digits} 个 DTMF 数字`,
      );
    case 'media': {
      const streams = event.streams.map((stream) => `${stream.kind} ${stream.codec ?? '?'}`).join(', ');
      return text(`media: ${streams}`, `媒体：${streams}`);
    }
    case 'ended': {
      const end = `${event.status} ${event.reason} (${event.result}, ${event.releaseReason})`;
      return text(`ended by ${event.by}: ${end}`, `由 ${event.by} 释放：${end}`);
    }
    case 'noted': {
      // A message's body is not for consoles.
      const { expires, extra = {} } = event.facts;
      const facts = Object.entries({ ...(expires !== undefined && { expires }), ...extra });
      const noted = facts.map(([name, value]) => `${name}=${value}`).join(' ');
      return text(`noted ${noted}`.trim(), `记录 ${noted}`.trim());
    }
    default: {
      const { leg, sent, summary } = event;
      return text(
        `${leg}: ${sent ? 'sent' : 'got'} ${summary}`,
        `${leg}：${sent ? '发送' : '收到'} ${summary}`,
      );
    }
  }
}
