// Which tests run beside others. Files of unit, wire and contract share nothing that a port, a directory or a Redis database
// could be: ports are free ones, or of a region that only their process has (test/support/free-ports.ts).

/** e2e files that run by themselves, and what another beside them would disturb. */
const ALONE = {
  'console-attacks': 'floods the console, and how soon calls are set up meanwhile',
  'alarms-killed': 'the server and its parts killed and started again: their ports are free meanwhile',
  'crash-states': 'kill -9 in every state of a call: its ports are free meanwhile',
  crash: 'kill -9 with eight calls up: its ports are free meanwhile',
  'kamailio-edge': 'kill -9 with a call that goes on: its media ports are free meanwhile',
  leaks: 'compares memory, sockets and files at rest',
  load: 'two hundred calls at once, and memory',
  loss: 'counts repetitions by the clock of RFC 3261 §17',
  malformed: 'floods of bad messages, and memory',
  'restart-calls': 'kill -9 with calls that go on: their media ports are free meanwhile',
  'restart-ends': 'the same, and one that takes such a port',
  'restart-media': 'the same, and how soon media flows again',
};

/**
 * e2e files that take longest, in seconds as measured on two cores: they begin first, so that none of them is left for
 * the end by itself. The others take less than ten.
 */
const SECONDS = {
  substitution: 62,
  'rfc-flows': 46,
  announcements: 33,
  alarms: 29,
  features: 19,
  events: 19,
  'call-between-phones': 16,
  trunks: 16,
  demo: 14,
  'old-faults-records': 13,
  'call-sipp': 12,
  'in-call-sipp': 11,
  baresip: 11,
  conference: 11,
};

/** Files side by side at once: as many as the machine has cores where CI runs. */
const BESIDE = 2;
/** e2e files wait most of their time: each takes less than half a core. */
const E2E_BESIDE = 3;

const e2eName = (file) => /(?:^|\/)e2e\/([\w-]+)\.test\.js$/.exec(file)?.[1];

/**
 * Groups of compiled test files in the order they run, each with how many of its files run at once, and whether one that
 * fails beside others is repeated by itself.
 */
export function testGroups(files) {
  const small = files.filter((file) => e2eName(file) === undefined);
  const whole = files.filter((file) => e2eName(file) !== undefined);
  const seconds = (file) => SECONDS[e2eName(file)] ?? 0;
  const isAlone = (file) => e2eName(file) in ALONE;
  return [
    { files: small, concurrency: BESIDE, repeats: true },
    {
      files: whole.filter((file) => !isAlone(file)).sort((a, b) => seconds(b) - seconds(a)),
      concurrency: E2E_BESIDE,
      repeats: false,
    },
    { files: whole.filter(isAlone), concurrency: 1, repeats: false },
  ];
}
