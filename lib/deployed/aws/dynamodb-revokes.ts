import type * as Whole from '../../aws/dynamodb-revokes.ts';
import { onDemand } from '../on-demand.ts';

export const revokeTask: typeof Whole.revokeTask = async (...args) => (await onDemand()).revokeTask(...args);
export const readTerminated: typeof Whole.readTerminated = async (...args) =>
  (await onDemand()).readTerminated(...args);
export const reopenTask: typeof Whole.reopenTask = async (...args) => (await onDemand()).reopenTask(...args);
