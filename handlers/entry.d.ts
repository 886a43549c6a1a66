/** The user's tasks module: an alias that the bundler resolves. */
declare module '@celeriac/entry' {
  const exports: Readonly<Record<string, unknown>>;
  export = exports;
}
