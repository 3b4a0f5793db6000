// drachtio-srf asks process.env for each header it writes; a plain copy is many times cheaper to ask than the real one.
process.env = { ...process.env };

const { run } = await import('./cli/program.js');
await run(process.argv);
