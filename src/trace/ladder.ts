/** The part of a timeline entry that a ladder is drawn from. */
export interface LadderEntry {
  /** Monotonic milliseconds. */
  readonly mono: number;
  readonly event:
    | { readonly kind: 'message'; readonly leg: string; readonly sent: boolean; readonly summary: string }
    | { readonly kind: string };
}

export interface LadderOptions {
  /** Columns of text, 60..200, default 80. */
  readonly width?: number;
  readonly callerName?: string;
  readonly serverName?: string;
  readonly calleeName?: string;
}

const MIN_WIDTH = 60;
const MAX_WIDTH = 200;
const TIME_WIDTH = 9;

type Message = { kind: 'message'; leg: string; sent: boolean; summary: string };

/**
 * Draws the SIP messages of a call as a sequence diagram in text: caller, server, callee; seconds since the first message.
 * With more than one B leg each arrow on the right says which phone it belongs to. Ends with a line break; empty without messages.
 */
export function ladder(timeline: readonly LadderEntry[], options: LadderOptions = {}): string {
  const messages = timeline.filter(
    (entry): entry is LadderEntry & { event: Message } => entry.event.kind === 'message',
  );
  if (messages.length === 0) return '';
  const width = Math.min(Math.max(options.width ?? 80, MIN_WIDTH), MAX_WIDTH);
  const span = Math.floor((width - TIME_WIDTH - 3) / 2);
  const hasForks = new Set(messages.map((entry) => entry.event.leg)).size > 2;
  const start = messages[0]!.mono;

  const lines = [headline(span, options), lifelines(span)];
  for (const { mono, event } of messages) {
    const isA = event.leg === 'a';
    // On the caller's side what we send points left; on the callee's side it points right.
    const arrow = drawArrow(label(event, hasForks), span, isA ? !event.sent : event.sent);
    const blank = ' '.repeat(span);
    const row = isA ? `|${arrow}|${blank}|` : `|${blank}|${arrow}|`;
    lines.push(`${((mono - start) / 1000).toFixed(3).padStart(TIME_WIDTH - 1)} ${row}`);
  }
  lines.push(lifelines(span));
  return `${lines.join('\n')}\n`;
}

function label(event: Message, hasForks: boolean): string {
  const text = event.summary.replace(/[^\u0020-\u007e\u00a0-\uffff]/g, '?');
  return hasForks && event.leg !== 'a' ? `${event.leg}: ${text}` : text;
}

/** `--- INVITE --->` in exactly `span` columns. */
function drawArrow(text: string, span: number, pointsRight: boolean): string {
  const room = span - 6;
  const shown = text.length > room ? `${text.slice(0, room - 1)}~` : text;
  const left = Math.floor((span - 1 - shown.length - 2) / 2);
  const right = span - 1 - shown.length - 2 - left;
  const line = `${'-'.repeat(left)} ${shown} ${'-'.repeat(right)}`;
  return pointsRight ? `${line}>` : `<${line}`;
}

/** Names centred on the three lifelines. */
function headline(span: number, options: LadderOptions): string {
  const names = [
    options.callerName ?? 'A phone',
    options.serverName ?? 'server',
    options.calleeName ?? 'B phone',
  ];
  const total = TIME_WIDTH + 2 * span + 3;
  const row = Array.from({ length: total }, () => ' ');
  names.forEach((name, i) => {
    const centre = TIME_WIDTH + i * (span + 1);
    const shown = name.slice(0, span - 2);
    const from = Math.min(Math.max(centre - Math.floor(shown.length / 2), 0), total - shown.length);
    for (let k = 0; k < shown.length; k++) row[from + k] = shown[k]!;
  });
  return row.join('').trimEnd();
}

function lifelines(span: number): string {
  return `${' '.repeat(TIME_WIDTH)}|${' '.repeat(span)}|${' '.repeat(span)}|`;
}
