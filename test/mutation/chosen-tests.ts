/** Which of the tests that come to a mutant are run against it. */

export interface Reaching {
  readonly path: string;
  readonly seconds: number;
  readonly hits: number;
}

export interface Chosen {
  readonly paths: readonly string[];
  readonly seconds: number;
  /** The most that one of them comes to the mutant. */
  readonly hits: number;
}

/**
 * As many as the time allows, quick ones first; those that import the mutant's own file are among them before any other.
 * What stands in a constant is come to by every test that loads its file, and the quickest hundred need not look at it.
 */
export function chosenOf(reaching: readonly Reaching[], importers: ReadonlySet<string>, mostSeconds: number): Chosen {
  const quickFirst = reaching.toSorted((left, right) => left.seconds - right.seconds);
  const nearFirst = [...quickFirst.filter(isNear), ...quickFirst.filter((each) => !isNear(each))];
  const paths = new Set<string>();
  let [seconds, hits] = [0, 0];
  for (const each of nearFirst) {
    if (paths.size > 0 && seconds + each.seconds > mostSeconds) continue;
    paths.add(each.path);
    seconds += each.seconds;
    hits = Math.max(hits, each.hits);
  }
  return { paths: quickFirst.map(({ path }) => path).filter((path) => paths.has(path)), seconds, hits };

  function isNear({ path }: Reaching): boolean {
    return importers.has(path);
  }
}
