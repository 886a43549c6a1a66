export type { DeadLetter } from '../aws/poller.ts';
export { type BatchFunction, LocalCloud, type LocalCloudOptions } from './cloud.ts';
export { type LocalServer, startDynamodb, startSqs } from './servers.ts';
