import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/** A name in subjectAltName that is a SIP URI of a domain alone. */
const SIP_DOMAIN = /^URI:sips?:([^@;?\s]+)$/i;

/**
 * Whether a certificate stands for a SIP domain (RFC 5922 §7.1): SIP URIs of its subjectAltName if it has any, else its
 * DNS names and addresses, else its common name. Returns what is wrong, undefined when nothing is.
 * Deviation: a wildcard in a DNS name matches one label, which RFC 5922 §7.2 forbids: large trunk providers use them.
 */
export function checkSipIdentity(domain: string, certificate: PeerCertificate): Error | undefined {
  const domains = sipDomains(certificate);
  if (domains.length === 0) return checkServerIdentity(domain, certificate);
  // RFC 5922 §7.2: compared as DNS names are, without regard to case.
  if (domains.includes(domain.toLowerCase())) return undefined;
  return new Error(`the certificate is for ${domains.join(', ')}, not for ${domain}`);
}

/** Names with quotes hold what could be taken for a separator; Node.js writes no plain name so. */
function sipDomains({ subjectaltname }: PeerCertificate): string[] {
  if (!subjectaltname || subjectaltname.includes('"')) return [];
  return subjectaltname.split(', ').flatMap((name) => SIP_DOMAIN.exec(name)?.[1]?.toLowerCase() ?? []);
}
