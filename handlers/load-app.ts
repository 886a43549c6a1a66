/** Finds the app in the user's module, which the bundler puts in the place of `@celeriac/entry`. */
export { appOf } from '../lib/app/exported-app.ts';
