/**
 * The part of Standard Schema (https://standardschema.dev, version 1) that Celeriac calls, so that zod,
 * valibot, arktype and others fit without a dependency.
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  /** What Standard Schema asks of every library. */
  readonly '~standard': {
    /** Version of Standard Schema. */
    readonly version: 1;
    /** Name of the schema library. */
    readonly vendor: string;
    /** Gives the value or the issues, at once or later. */
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** Types only: never set at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What validating gives: the value, perhaps changed by defaults and transforms, or issues. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that a schema found wrong. */
export interface StandardIssue {
  /** What is wrong, for people. */
  readonly message: string;
  /** Where, from the outside in: keys and indexes. Absent: the value itself. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
