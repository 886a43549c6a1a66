import type * as Whole from '../../app/add-handler.ts';

// The stack that deployed this function has checked name and handler at synth.
export const addHandler: typeof Whole.addHandler = (handlers, name, handler) => {
  const set = handlers.get(name) ?? new Set();
  handlers.set(name, set.add(handler));
  return () => void set.delete(handler);
};
export const checkHooks: typeof Whole.checkHooks = () => {};
