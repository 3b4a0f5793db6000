/** What G.711 is sampled at, and everything in this room with it; samples a second (RFC 3551 §4.5.14). */
export const SAMPLE_RATE_HZ = 8000;
/** One packet, milliseconds. */
export const FRAME_MS = 20;
/** Samples of one packet. */
export const FRAME_SAMPLES = (SAMPLE_RATE_HZ * FRAME_MS) / 1000;
