/** Finds the app in the user's module, which the bundler puts in the place of `@celeriac/entry`: one, or one that was made of several. */
export { appOf, appOfModules } from '../lib/app/exported-app.ts';
