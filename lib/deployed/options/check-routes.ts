import type * as Whole from '../../options/check-routes.ts';

// The stack that deployed this function has checked them at synth.
export const checkRoutes: typeof Whole.checkRoutes = () => {};
