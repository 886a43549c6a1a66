/** The chunk that is loaded on demand. */
export {
  applyAgain,
  debounced,
  fail,
  mapEach,
  postWebhook,
  pumpSlots,
  repair,
  starmapEach,
  unlockChord,
} from '../app/builtin-runs.ts';
export { encryptionBy } from '../app/encrypted-ports.ts';
export { runHttpTask } from '../app/http-run.ts';
export { statusUrl } from '../app/status-url.ts';
export { callViews } from '../aws/call-views.ts';
export {
  blobsOver,
  celeryGroupsOver,
  deadLettersOver,
  groupsOver,
  locksOver,
  marksOver,
  notifyOver,
  pausesOver,
  ratesOver,
  rulesOver,
  schedulesOver,
  slotsOver,
  timersOver,
} from '../aws/rare-ports.ts';
export { collect, iterdeps } from '../results/result-tree.ts';
export { awaitEnd } from '../results/await-end.ts';
export { HistoryBook } from '../history/history-book.ts';
export { rollUp } from '../history/roll-up.ts';
export { readTerminated, reopenTask, revokeTask } from '../aws/dynamodb-revokes.ts';
export { DeadLetterBook } from '../operate/dead-letter-book.ts';
export { LockBook } from '../flow/lock-book.ts';
export { deployedSources } from '../app/deployed-sources.ts';
export { Control } from '../app/control.ts';
export { runEager } from '../app/eager.ts';
export { consumeWakeUps } from '../beat/consume-wake-ups.ts';
export { resolveFlow } from '../options/resolve-flow.ts';
export {
  applyCall,
  applyHere,
  savedGroup,
  sendCall,
  sendMany,
  sendNamed,
  sendSignature,
  toOutboxItem,
} from '../producer/sending.ts';
export { readStored } from '../worker/read-stored.ts';
export { packingResults } from '../results/packed-backend.ts';
export { runApart } from '../worker/apart.ts';
export { revokeById } from '../results/revoke.ts';
export { consumeLost } from '../worker/consume-lost.ts';
export { defer } from '../worker/defer.ts';
export { metricFields } from '../worker/metric-fields.ts';
export { gatherResults } from '../worker/gather.ts';
export { announceEnd, announceRun, runHooks } from '../worker/hooks.ts';
export { settleLost } from '../worker/lost.ts';
export { atGates } from '../worker/gates.ts';
export { beginTelling } from '../worker/tell-failures.ts';
export { abandon, keepLooking, terminate } from '../worker/termination.ts';
export { sharingPlaces } from '../worker/rate-places.ts';
export { passOn } from '../worker/pass-on.ts';
export { checkRetry, settleFollowers } from '../worker/settle-followers.ts';
export { afterError } from '../worker/give-up.ts';
export { unmarkStarted } from '../worker/unmark.ts';
export { endUnreadable } from '../worker/unreadable.ts';
