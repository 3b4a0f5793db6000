/** Largest UDP message taken; bytes (RFC 3261 §18.1.1). */
export const MAX_DATAGRAM_BYTES = 65_535;
/** Largest message taken from a stream, header fields and body; bytes. */
export const MAX_STREAM_MESSAGE_BYTES = 128 * 1024;
/** Start line and header fields together; bytes. */
export const MAX_HEADER_BYTES = 64 * 1024;
/** Header field lines in one message. */
export const MAX_HEADER_FIELDS = 256;
