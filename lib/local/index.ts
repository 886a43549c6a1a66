export { type BatchFunction, LocalCloud, type LocalCloudOptions } from './cloud.ts';
export { type LocalServer, startDynamodb, startSqs } from './servers.ts';
