/** A chord as Celery sends it from Python: its group is stored first, and each member's message names the body. */
import type { World } from 'celeriac/testing';

import { applySignature } from '../../../lib/producer/apply-canvas.ts';
import { type Signature, withParts } from '../../../lib/wire/signature.ts';
import type { Load } from './load.ts';
import type { Leaf, Program } from './program.ts';

const KEPT_SECONDS = 30 * 86_400;

export const pythonGroupOf = (name: string): string => `${name}.group`;

/** Gives the id of the body. */
export async function sendAsPython(program: Program, world: World, load: Load): Promise<readonly string[]> {
  const { tree, name } = program;
  if (tree.type !== 'chord') throw new Error(`${name} is no chord`);
  const signatureOf = (leaf: Leaf): Signature => load.build({ ...program, tree: leaf }) as unknown as Signature;
  const header = tree.header.filter((member) => member.type === 'leaf');
  const body = signatureOf(tree.body);
  const groupId = pythonGroupOf(name);
  const nowMs = world.clock.nowMs();
  await world.celeryGroups.define({
    groupId,
    memberIds: header.map(({ key }) => key),
    chord: true,
    nowMs,
    expiresAtSeconds: Math.floor(nowMs / 1000) + KEPT_SECONDS,
  });
  for (const [index, member] of header.entries()) {
    const sig = signatureOf(member);
    const membership = { chord: body, group_id: groupId, group_index: index };
    await applySignature(load.app, withParts(sig, { options: { ...sig.options, ...membership } }));
  }
  return [tree.body.key];
}
