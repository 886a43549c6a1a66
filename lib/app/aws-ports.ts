import type { Connected, ConnectParts } from '../aws/connect.ts';
import type { Environment } from '../options/manifest.ts';

/** AWS's ports. Loaded on demand: whoever runs on other ports never loads the SDK. */
export async function awsPorts(environment: Environment, parts: ConnectParts): Promise<Connected> {
  const { connect } = await import('../aws/connect.ts');
  return connect(environment, parts);
}
