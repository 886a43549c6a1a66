/** What the processes of the deploy test listen on. */
import { canListSockets, type ListeningSocket, listeningSockets } from '../support/listening-sockets.ts';
import { startedProcesses } from './processes.ts';

/** Sockets of started processes that are not on loopback. Empty where the system does not tell. */
export function listeningOutside(): ListeningSocket[] {
  if (!canListSockets()) return [];
  return startedProcesses()
    .flatMap((pid) => listeningSockets(pid))
    .filter(({ address }) => !address.startsWith('127.') && address !== LOOPBACK_6);
}

const LOOPBACK_6 = '00000000000000000000000000000001';
