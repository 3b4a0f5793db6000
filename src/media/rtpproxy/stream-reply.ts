/** Longest reply taken over a stream, characters. */
export const MAX_REPLY_LENGTH = 16_384;

/** Collects the text of a stream and cuts replies of so many lines off it. */
export class StreamReply {
  private text = '';

  /** Adds what came; false when more has come than any reply may have. */
  push(chunk: string): boolean {
    this.text += chunk;
    return this.text.length <= MAX_REPLY_LENGTH;
  }

  /** The next reply of `lines` lines (an error has one) without its last line end; undefined while it is not whole. */
  take(lines: number): string | undefined {
    const wanted = /^E\d+[\r\n]/.test(this.text) ? 1 : lines;
    let end = -1;
    for (let line = 0; line < wanted; line++) {
      end = this.text.indexOf('\n', end + 1);
      if (end < 0) return undefined;
    }
    const reply = this.text.slice(0, end).replace(/\0/g, '');
    this.text = this.text.slice(end + 1);
    return reply;
  }

  /** All that is left, for a peer that closed after its reply. */
  rest(): string {
    const rest = this.text.replace(/[\r\n\0]+$/, '');
    this.text = '';
    return rest;
  }
}
