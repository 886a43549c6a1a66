/** What eager mode knows of the tasks that ran in its caller. */
export interface Eager {
  /** What failed tasks have thrown, by task id: itself. A store has only what stands for it. */
  readonly errors: Map<string, unknown>;
  /** Notes how a task failed, before anything follows from it. @throws that error, where the app says `eagerPropagates`. */
  failed(taskId: string, error: unknown): void;
}
