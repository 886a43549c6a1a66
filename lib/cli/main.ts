#!/usr/bin/env node
/** The program `celeriac`. */
import { run } from './run.ts';

const code = await run(process.argv.slice(2), {
  print: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
});
// What the user's module has opened, a connection say, must not keep the program.
process.stdout.write('', () => process.exit(code));
