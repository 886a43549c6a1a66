#!/usr/bin/env node
/** The program `celeriac`. */
import { processTerminal } from './process-terminal.ts';
import { run } from './run.ts';

const code = await run(process.argv.slice(2), processTerminal());
// What the user's module has opened, a connection say, must not keep the program.
process.stdout.write('', () => process.exit(code));
