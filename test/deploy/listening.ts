/** What the processes of the deploy test listen on. */
import { canListSockets, type ListeningSocket, listeningSockets } from '../support/listening-sockets.ts';
import { startedProcesses } from './processes.ts';

/** Sockets of started processes that are not on loopback. Empty where the system does not tell. */
export function listeningOutside(): ListeningSocket[] {
  if (!canListSockets()) return [];
  return startedProcesses()
    .flatMap((pid) => listeningSockets(pid))
    .filter(({ address }) => !LOOPBACK.test(address));
}

// 127.0.0.0/8, the same as Java's sockets have it (IPv4 in IPv6), and ::1.
const LOOPBACK = /^(?:127\.|0{20}ffff7f|0{31}1$)/;
