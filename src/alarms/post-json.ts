import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** What of an answer is read before its connection is cut, bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface PostOptions {
  /** http or https; a name and password in it become basic authentication. Never logged. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** From the beginning to the end of the answer, milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Posts a body on a connection of its own and resolves the status; redirects are not followed. Rejects with an Error whose message
 * never holds the URL: a code of the system, `time-out` or `ended`.
 */
export function postJson({ url, headers, body, timeoutMs, signal }: PostOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const length = Buffer.byteLength(body);
    const request = send(url, {
      method: 'POST',
      agent: false,
      headers: {
        'Content-Type': 'application/json',
        'Content-Length': length,
        Connection: 'close',
        ...headers,
      },
    });
    const settle = (outcome: number | Error): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (typeof outcome === 'number') resolve(outcome);
      else reject(outcome);
    };
    const giveUp = (why: string): void => {
      settle(new Error(why));
      request.destroy();
    };
    const onAbort = (): void => giveUp('ended');
    const timer = setTimeout(() => giveUp('time-out'), timeoutMs).unref();
    signal.addEventListener('abort', onAbort, { once: true });
    request.on('error', (error: NodeJS.ErrnoException) =>
      settle(new Error(error.code ?? 'broken connection')),
    );
    request.on('response', (response) => {
      let left = MAX_ANSWER_BYTES;
      response.on('data', (chunk: Buffer) => {
        left -= chunk.length;
        if (left < 0) response.destroy();
      });
      response.on('error', () => undefined);
      response.on('close', () => settle(response.statusCode ?? 0));
    });
    if (signal.aborted) onAbort();
    else request.end(body);
  });
}
