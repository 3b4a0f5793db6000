// pm2: `npm ci && npm run build && pm2 start ecosystem.config.cjs`. One forked process: SIP keeps state, so no cluster mode.
module.exports = {
  apps: [
    {
      name: 'ims-server',
      script: 'dist/main.js',
      args: 'start',
      cwd: __dirname,
      exec_mode: 'fork',
      instances: 1,
      autorestart: true,
      // pm2 sends SIGINT; the server refuses new calls, waits DRAIN_SEC (20 s) for those that are up and exits; answered ones go on after a restart.
      kill_timeout: 30_000,
      // The server tells pm2 when it takes calls.
      wait_ready: true,
      listen_timeout: 15_000,
      max_memory_restart: '1500M',
      env: { NODE_ENV: 'production', LOG_FORMAT: 'json' },
    },
  ],
};
