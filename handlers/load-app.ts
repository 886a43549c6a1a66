/** Finds the app in the user's module, which the bundler puts in the place of `@celeriac/entry`. */
import type { Celeriac } from '../lib/app/app.ts';
import { appOf } from '../lib/app/exported-app.ts';

export { appOf };

export async function loadApp(): Promise<Celeriac> {
  return appOf(await import('@celeriac/entry'));
}
