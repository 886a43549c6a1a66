/** Where the embedded cloud keeps large payloads. */
import { S3Blobs } from '../aws/s3-blobs.ts';
import { actorCredentials } from './actors.ts';
import type { Authorize } from './authorize.ts';
import { startS3 } from './s3-server.ts';
import type { LocalServer } from './servers.ts';

export interface PayloadStore {
  readonly server: LocalServer;
  /** Signed by whoever asks. */
  readonly blobs: S3Blobs;
  /** By which another process finds it. */
  readonly variables: { readonly AWS_ENDPOINT_URL_S3: string };
}

/** What a cloud has started. */
export interface Started {
  readonly servers: readonly LocalServer[];
  readonly endpoints: { readonly sqs: string; readonly dynamodb: string };
  readonly payloads: PayloadStore | undefined;
}

/** Undefined for an app that stores none. */
export async function startPayloads(
  bucket: string | undefined,
  authorize: Authorize | undefined,
): Promise<PayloadStore | undefined> {
  if (bucket === undefined) return undefined;
  const server = await startS3(0, authorize);
  const { endpoint } = server;
  return {
    server,
    blobs: new S3Blobs({ bucket, endpoint, region: 'us-east-1', credentials: actorCredentials }),
    variables: { AWS_ENDPOINT_URL_S3: endpoint },
  };
}
