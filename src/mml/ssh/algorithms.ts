import type { Algorithms } from 'ssh2';

/**
 * What the SSH console offers: curves, AES, SHA-2, and nothing older. RFC 8731, RFC 5656 (key exchange); RFC 5647,
 * RFC 4344 (ciphers); RFC 6668 (MACs, in their encrypt-then-MAC form). No finite-field key exchange: a single one would
 * hold the thread that serves calls for tens of milliseconds. No compression: it helps nobody on a console.
 */
export const SSH_ALGORITHMS: Algorithms = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
  ],
  serverHostKey: ['ssh-ed25519'],
  cipher: ['aes256-gcm@openssh.com', 'aes128-gcm@openssh.com', 'aes256-ctr', 'aes128-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
  compress: ['none'],
};
