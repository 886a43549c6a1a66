// It is in the chunk that is loaded on demand.
export { readSecret } from '../../aws/secret-texts.ts';
