/** Work side by side, without a thousand requests at once. */

/** Works on every item, on at most `width` at the same time. Results are in the order of the items. */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = Array.from({ length: items.length });
  // One iterator for all: whoever is done takes the next item.
  const left = items.entries();
  const run = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, run));
  return results;
}
