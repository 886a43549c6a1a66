import type * as Whole from '../../app/encrypting.ts';
import { onDemand } from '../on-demand.ts';

export const encryptionBy: typeof Whole.encryptionBy = async (...args) => (await onDemand()).encryptionBy(...args);
