/** Transport names as the drachtio wire reports them; WebSocket shows as tcp there. */
export type Protocol = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';
