/** Code of functions as folders beside the template: what uploads it, and to which bucket, is for the tool that deploys. */
import {
  type DockerImageAssetLocation,
  type FileAssetLocation,
  FileAssetPackaging,
  type FileAssetSource,
  type ISynthesisSession,
  StackSynthesizer,
} from 'aws-cdk-lib';

import { ImproperlyConfigured } from '../lib/base/errors.ts';

// Stands for a bucket until the template is written; no bucket may have capital letters.
const LOCAL = 'CELERIAC-LOCAL-CODE';
const HASH_CHARACTERS = 16;

/** Needs no bootstrapped account: it names no bucket, no role and no version of a bootstrap stack. */
export class LocalCodeSynthesizer extends StackSynthesizer {
  readonly #files = new Map<string, string>();

  /** Path of each asset in the cloud assembly, by its hash. */
  get files(): ReadonlyMap<string, string> {
    return this.#files;
  }

  /** Where an asset lies, relative to the template: `./`, by which tools tell a path from text. */
  pathOf(hash: string): string {
    return `./code/${hash.slice(0, HASH_CHARACTERS)}${this.#files.get(hash)?.endsWith('.zip') === true ? '.zip' : ''}`;
  }

  override addFileAsset(asset: FileAssetSource): FileAssetLocation {
    if (asset.fileName === undefined || asset.packaging === undefined)
      throw new ImproperlyConfigured(
        `Asset '${asset.displayName ?? asset.sourceHash}' is made by a command; only files and folders can lie beside a template.`,
      );
    if (asset.packaging === FileAssetPackaging.FILE && !asset.fileName.endsWith('.zip'))
      throw new ImproperlyConfigured(
        `Asset '${asset.displayName ?? asset.sourceHash}' is the file ${asset.fileName}; give a folder or a .zip file: that is what code of functions and layers is.`,
      );
    this.#files.set(asset.sourceHash, asset.fileName);
    const httpUrl = `https://${LOCAL}/${asset.sourceHash}`;
    return {
      bucketName: LOCAL,
      objectKey: asset.sourceHash,
      httpUrl,
      s3ObjectUrl: `s3://${LOCAL}/${asset.sourceHash}`,
    };
  }

  override addDockerImageAsset(): DockerImageAssetLocation {
    throw new ImproperlyConfigured('A container image cannot lie beside a template. Give the image of a registry.');
  }

  override synthesize(session: ISynthesisSession): void {
    this.synthesizeTemplate(session);
    this.emitArtifact(session);
  }
}

/**
 * The template with a local path in the place of each asset, as `aws cloudformation package` and `sam package` take it.
 *
 * @param pathOf from an asset's hash to a path, relative to the template.
 * @throws ImproperlyConfigured for an asset that is used as anything but the code of a function or a layer.
 */
export function withLocalPaths<T>(template: T, pathOf: (hash: string) => string): T {
  return placed(template, [], pathOf) as T;
}

function placed(value: unknown, path: readonly string[], pathOf: (hash: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each, index) => placed(each, [...path, String(index)], pathOf));
  if (typeof value === 'string' && value.includes(LOCAL))
    throw new ImproperlyConfigured(
      `${path.join('.')} refers to an asset other than the code of a function or a layer, which no tool but CDK uploads.`,
    );
  if (typeof value !== 'object' || value === null) return value;
  const { S3Bucket: bucket, S3Key: key } = value as { readonly S3Bucket?: unknown; readonly S3Key?: unknown };
  const isCode = ['Code', 'Content'].includes(path.at(-1) ?? '');
  if (isCode && bucket === LOCAL && typeof key === 'string') return pathOf(key);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, placed(each, [...path, name], pathOf)] as const),
  );
}
