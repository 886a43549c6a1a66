/** What `policy: 'settled'` hands to the body for each member. */
export type SettledResult<R = unknown> =
  | { readonly status: 'SUCCESS'; readonly value: R }
  | { readonly status: string; readonly error: { readonly type: string; readonly message: string } };
