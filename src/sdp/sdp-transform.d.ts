/** The part of sdp-transform 3 that this room reads; the package brings no types. */
declare module 'sdp-transform' {
  /** One `a=rtpmap`. */
  interface ParsedRtpMap {
    payload: number | string;
    codec: string;
    rate?: number | string;
    encoding?: number | string;
  }
  interface ParsedConnection {
    version?: number | string;
    ip?: string;
  }
  interface ParsedMedia {
    connection?: ParsedConnection;
    direction?: string;
    rtcp?: { port?: number | string; address?: string };
    rtp: ParsedRtpMap[];
  }
  interface ParsedSession {
    origin?: { sessionId?: number | string; sessionVersion?: number | string; address?: string };
    connection?: ParsedConnection;
    direction?: string;
    media: ParsedMedia[];
  }
  const api: { parse(sdp: string): ParsedSession };
  export default api;
}
