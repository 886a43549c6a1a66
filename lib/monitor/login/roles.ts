/** Which role somebody has by what a login tells of them. Pure. */
import type { Role } from '../route.ts';

/** Patterns: `ada@example.org`, `*@example.org`, `group:operations`; of IAM an ARN, `*` in it. */
export interface RoleRules {
  readonly operators: readonly string[];
  readonly viewers?: readonly string[];
}

/** What a login tells. */
export interface Identity {
  /** E-mail address, or ARN. */
  readonly name: string;
  readonly groups?: readonly string[];
}

/** undefined for somebody whom no rule names: they are not let in. */
export function roleOf(identity: Identity, { operators, viewers = [] }: RoleRules): Role | undefined {
  const fits = (pattern: string): boolean => isMeant(pattern, identity);
  if (operators.some(fits)) return 'operator';
  return viewers.some(fits) ? 'viewer' : undefined;
}

const GROUP = 'group:';

function isMeant(pattern: string, { name, groups = [] }: Identity): boolean {
  if (pattern.startsWith(GROUP)) return groups.includes(pattern.slice(GROUP.length));
  const [first = '', ...rest] = pattern.toLowerCase().split('*');
  let text = name.toLowerCase();
  if (!text.startsWith(first)) return false;
  text = text.slice(first.length);
  const last = rest.pop();
  if (last === undefined) return text === '';
  for (const part of rest) {
    const at = text.indexOf(part);
    if (at === -1) return false;
    text = text.slice(at + part.length);
  }
  return text.endsWith(last);
}
