/** What knows of which ranges addresses are. In deployed functions its twin loads it with the first request. */
import ipaddr from 'ipaddr.js';

export type AddressLibrary = typeof ipaddr;

export const addressLibrary = (): Promise<AddressLibrary> => Promise.resolve(ipaddr);
