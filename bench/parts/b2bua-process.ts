// The smallest B2BUA on drachtio-srf as a process of its own: node b2bua-process.js <admin port> <secret> <callee>
import { startB2buaApp } from '../../test/support/b2bua-app.js';

// What an application loses by the real process.env is not what is measured here.
process.env = { ...process.env };
const [port = '', secret = '', callee = ''] = process.argv.slice(3);
await startB2buaApp({ port: Number(port), secret }, callee);
process.send?.('ready');
