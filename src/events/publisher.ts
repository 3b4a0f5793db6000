import type { User } from '../accounts/types.js';
import { randomToken } from '../platform/ids.js';
import type { Logger } from '../platform/logger.js';
import { header, headerList, headerNumber } from '../signalling/request.js';
import { respondOnly } from '../signalling/respond.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { answerFor, EventRefusedError } from './errors.js';
import { parseEvent } from './event-package.js';
import { type EventRequestDeps, grantedSec, resourceOf, senderOf } from './event-request.js';
import { PIDF_TYPE, type PresenceParts, readPidf } from './pidf.js';
import type { Publications } from './publications.js';

/** Largest document, bytes. */
const MAX_BYTES = 16_384;
/** How long a publication lasts that names no time, seconds. */
const DEFAULT_SEC = 3600;
const PUBLISHED_EVENT = 'presence';

export interface PublisherDeps extends EventRequestDeps {
  readonly publications: Publications;
  readonly limits: { readonly minSec: number; readonly maxSec: number };
  readonly log: Logger;
}

/** Takes PUBLISH: the state of a user's own presence, several publishers each for itself (RFC 3903 §6). */
export class Publisher {
  private isDraining = false;

  constructor(private readonly deps: PublisherDeps) {}

  /** Takes a PUBLISH outside a dialog. Every one gets its final answer. */
  async handle(req: SrfRequest, res: SrfResponse): Promise<void> {
    try {
      if (this.isDraining) throw new EventRefusedError(503, 'Service Unavailable', { 'Retry-After': 10 });
      const sender = await senderOf(this.deps, req, res);
      if (sender) await this.publish(sender, req, res);
    } catch (error) {
      const { status, reason, headers } = answerFor(error);
      const facts = { callId: header(req, 'call-id'), status, reason };
      if (status >= 500) this.deps.log.warn({ ...facts, err: error }, 'a PUBLISH could not be handled');
      else this.deps.log.debug(facts, 'PUBLISH refused');
      respondOnly(res, status, { reason, headers });
    }
  }

  /** Draining: what is published now would be forgotten in a moment. */
  setDraining(draining: boolean): void {
    this.isDraining = draining;
  }

  /** RFC 3903 §6, step by step. */
  private async publish(sender: User, req: SrfRequest, res: SrfResponse): Promise<void> {
    const { publications, limits } = this.deps;
    const resource = await resourceOf(this.deps, req);
    // Step 2.
    if (parseEvent(header(req, 'event'))?.name !== PUBLISHED_EVENT)
      throw new EventRefusedError(489, 'Bad Event', { 'Allow-Events': PUBLISHED_EVENT });
    // Step 3.
    if (resource.username !== sender.username) throw new EventRefusedError(403, 'Not Your Presence');
    // Step 4.
    const etags = headerList(req, 'sip-if-match');
    if (etags.length > 1) throw new EventRefusedError(400, 'Bad SIP-If-Match Header');
    const former = etags[0] === undefined ? undefined : publications.find(sender, etags[0].trim());
    if (etags.length > 0 && !former) throw new EventRefusedError(412, 'Conditional Request Failed');
    // Step 5.
    const seconds = grantedSec(req, limits, DEFAULT_SEC);
    // RFC 3903 §4.5
    if (seconds === 0) {
      if (former) publications.remove(former);
      return answer(res, randomToken(16), 0);
    }
    // Step 6.
    const parts = readBody(req);
    if (!former && !parts) throw new EventRefusedError(400, 'Missing Presence Document');
    // RFC 3903 §4.2, §4.4
    const publication = former
      ? publications.renew(former, parts, seconds)
      : publications.add(sender, parts!, seconds);
    answer(res, publication.etag, seconds);
  }
}

/** RFC 3903 §6 step 8: each 2xx has another SIP-ETag. */
function answer(res: SrfResponse, etag: string, seconds: number): void {
  respondOnly(res, 200, { headers: { 'SIP-ETag': etag, Expires: seconds } });
}

function readBody(req: SrfRequest): PresenceParts | undefined {
  const body = req.body ?? '';
  if (body === '') return undefined;
  const type = header(req, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  const encoding = header(req, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
  // RFC 3261 §21.4.13
  if (type !== PIDF_TYPE || encoding !== 'identity')
    throw new EventRefusedError(415, 'Unsupported Media Type', { Accept: PIDF_TYPE });
  const bytes = Math.max(headerNumber(req, 'content-length') || 0, Buffer.byteLength(body));
  // RFC 3261 §21.4.11
  if (bytes > MAX_BYTES) throw new EventRefusedError(413, 'Request Entity Too Large');
  return readPidf(body);
}
