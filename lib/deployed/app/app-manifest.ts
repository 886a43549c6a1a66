import type * as Whole from '../../app/app-manifest.ts';
import { ImproperlyConfigured } from '../../base/errors.ts';

export const manifestOf: typeof Whole.manifestOf = () => noManifest();

/** @throws ImproperlyConfigured */
export function noManifest(): never {
  throw new ImproperlyConfigured(
    'manifest(): asked for in a deployed function, whose bundle plans no schedules. The CDK stack reads it at synth; `app.schedules.list()` tells of entries at run time.',
  );
}
