export { handler as worker } from './worker.ts';
export { handler as sweeper } from './sweeper.ts';
export { appOf } from './load-app.ts';
