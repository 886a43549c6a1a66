/** In deployed functions: each of them asks AWS, so nothing is left to be loaded at the first message. */
import { type Connected, type ConnectParts, connect } from '../../aws/connect.ts';
import type { Environment } from '../../options/manifest.ts';

export function awsPorts(environment: Environment, parts: ConnectParts): Promise<Connected> {
  return Promise.resolve(connect(environment, parts));
}
