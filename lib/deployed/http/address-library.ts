import { once } from '../../base/lazy.ts';
import type * as Whole from '../../http/address-library.ts';

export const addressLibrary: typeof Whole.addressLibrary = once(async () => (await import('ipaddr.js')).default);
