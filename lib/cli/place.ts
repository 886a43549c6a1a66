/** Where a command looks for a service, as its options say. */
import { isPattern } from '../options/entry-files.ts';

export interface Place {
  /** Name of the app, or path of the module that exports it. */
  readonly app?: string;
  /** CloudFormation stack. */
  readonly stack?: string;
  /** Endpoint of an emulator. */
  readonly endpoint?: string;
  readonly region?: string;
  /** It tries again for longer: what fails would run a task again. */
  readonly patient?: boolean;
}

/** `--app` names a module, or several, where it looks like a path or a pattern. */
export function isModule(app: string): boolean {
  return /[/\\]/.test(app) || isPattern(app) || /\.[cm]?[jt]s$/.test(app);
}
