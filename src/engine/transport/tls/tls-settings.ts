/** Where TLS gets its certificates from and what it asks of peers. Plain data: it goes to a worker. Files are PEM. */
export interface TlsSettings {
  /** Our certificate, with those between it and the root behind it. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Authorities trusted besides the public ones that Node.js knows, for peers of both directions. */
  readonly caFile?: string;
  /**
   * Whether clients must show a certificate: `optional` asks and goes on without one, `require` ends the handshake.
   * Default `off`.
   */
  readonly verifyClient?: 'off' | 'optional' | 'require';
  /** Whether the certificate of a server that we connect to must be good for its name (RFC 5922 §7). Default true. */
  readonly verifyServer?: boolean;
  /** Default TLSv1.2; older ones are broken. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** How to make a certificate to start with; for error messages and docs. */
export function opensslLine(certificateFile: string, keyFile: string): string {
  return (
    'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj /CN=sip.example.com ' +
    `-addext subjectAltName=DNS:sip.example.com -keyout ${keyFile} -out ${certificateFile}`
  );
}
