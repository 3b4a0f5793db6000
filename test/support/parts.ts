/** Whether the environment of this test run leaves the SIP engine to the server itself. */
export const hasBuiltInEngine = (process.env['SIP_ENGINE'] ?? 'embedded') === 'embedded';

/** For tests that look into the engine or choose its listeners: the reason to skip them, or false. */
export const needsBuiltInEngine = !hasBuiltInEngine && 'needs the built-in engine';
