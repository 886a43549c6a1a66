export type { DeadLetter } from '../aws/poller.ts';
export type { AskedRequest, Authorize, Denial } from './authorize.ts';
export { LocalCloud, type LocalCloudOptions } from './cloud.ts';
export type { BatchFunction } from './pump.ts';
export { type LocalServer, startDynamodb, startSqs } from './servers.ts';
export type { LocalStatusUrl } from './status-server.ts';
