import type * as Whole from '../../producer/sending.ts';
import { onDemand } from '../on-demand.ts';

export const applyCall: typeof Whole.applyCall = async (...args) => (await onDemand()).applyCall(...args);
export const applyHere: typeof Whole.applyHere = async (...args) => (await onDemand()).applyHere(...args);
export const savedGroup: typeof Whole.savedGroup = async (...args) => (await onDemand()).savedGroup(...args);
export const sendCall: typeof Whole.sendCall = async (...args) => (await onDemand()).sendCall(...args);
export const sendMany: typeof Whole.sendMany = async (...args) => (await onDemand()).sendMany(...args);
export const sendNamed: typeof Whole.sendNamed = async (...args) => (await onDemand()).sendNamed(...args);
export const sendSignature: typeof Whole.sendSignature = async (...args) => (await onDemand()).sendSignature(...args);
export const toOutboxItem: typeof Whole.toOutboxItem = async (...args) => (await onDemand()).toOutboxItem(...args);
