/** What stands around every view: the side, the tabs of a phone, the theme, who is logged in. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Link, useLocation, useSearch } from 'wouter-preact';

import { act } from '../data/api.ts';
import { chooseTheme, theme, type Theme } from '../data/preferences.ts';
import { useOverview, useQueues, useSession } from '../data/queries.ts';
import { useStore } from '../data/store.ts';
import { plainText } from '../pure/hostile-text.ts';
import { rangeIn } from '../pure/ranges.ts';
import { count } from '../pure/words.ts';
import { Button, Choice } from './controls.tsx';
import { Dialog } from './dialog.tsx';
import { Icon, type IconName } from './icons.tsx';

interface Place {
  readonly to: string;
  readonly text: string;
  readonly short: string;
  readonly icon: IconName;
}

const PLACES: readonly Place[] = [
  { to: '/', text: 'Overview', short: 'Overview', icon: 'overview' },
  { to: '/tasks', text: 'Tasks', short: 'Tasks', icon: 'tasks' },
  { to: '/queues', text: 'Queues', short: 'Queues', icon: 'queues' },
  { to: '/dead-letters', text: 'Dead letters', short: 'Dead', icon: 'letters' },
  { to: '/schedules', text: 'Schedules', short: 'Schedules', icon: 'schedules' },
  { to: '/limits', text: 'Limits and locks', short: 'Limits', icon: 'limits' },
  { to: '/catalogue', text: 'Task catalogue', short: 'Catalogue', icon: 'catalogue' },
  { to: '/audit', text: 'Audit list', short: 'Audit', icon: 'audit' },
];
const TABS = 4;

function isAt(place: Place, location: string): boolean {
  return place.to === '/' ? location === '/' : location.startsWith(place.to);
}

/** The overview asks for queues itself: they are not asked for twice. */
function useDead(): number {
  const [location] = useLocation();
  const range = rangeIn(useSearch());
  const isOverview = location === '/';
  const overview = useOverview(range, isOverview);
  const queues = useQueues(!isOverview);
  const { data } = isOverview ? overview : queues;
  return (data?.queues ?? []).reduce((sum, { dead = 0 }) => sum + dead, 0);
}

function PlaceLink({
  place,
  isCurrent,
  dead,
}: {
  readonly place: Place;
  readonly isCurrent: boolean;
  readonly dead: number;
}): VNode {
  return (
    <Link href={place.to} {...(isCurrent ? { 'aria-current': 'page' as const } : {})}>
      <Icon name={place.icon} />
      <span class="place">{place.text}</span>
      {place.to === '/dead-letters' && dead > 0 && (
        <span class="place-count">
          {count(dead)}
          <span class="visually-hidden"> letters</span>
        </span>
      )}
    </Link>
  );
}

export function Mark(): VNode {
  return (
    <svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <path
        class="mark-leaf"
        d="M12 10C9 8 7.5 5 8.5 2c2 .6 3.2 2.3 3.5 4.4C12.3 4.300 13.500 2.600 15.500 2c1 3-.5 6-3.500 8Z"
      />
      <path
        class="mark-root"
        d="M5 14.500C5 11.500 8 9.500 12 9.500s7 2 7 5c0 3.400-2.600 6-5.200 6.600L12 23l-1.800-1.900C7.600 20.500 5 17.900 5 14.500Z"
      />
    </svg>
  );
}

export function Side({ onKeys }: { readonly onKeys: () => void }): VNode {
  const [location] = useLocation();
  const { app, place } = useSession();
  const dead = useDead();
  return (
    <aside class="side">
      <Link href="/" class="brand">
        <Mark />
        <span class="place">Celeriac</span>
      </Link>
      <div class="service">
        <b class="cut">{plainText(app)}</b>
        {place !== undefined && (
          <span class="cut" title={plainText(place)}>
            {plainText(place)}
          </span>
        )}
      </div>
      <nav class="places" aria-label="Views">
        {PLACES.map((each) => (
          <PlaceLink key={each.to} place={each} isCurrent={isAt(each, location)} dead={dead} />
        ))}
      </nav>
      <Foot onKeys={onKeys} />
    </aside>
  );
}

function Foot({ onKeys }: { readonly onKeys: () => void }): VNode {
  const { user, readOnly } = useSession();
  return (
    <div class="side-foot">
      <div class="row who-is">
        <span class="cut grow" title={plainText(user?.name ?? '')}>
          {plainText(user?.name ?? '')}
        </span>
        <span class="tag">{readOnly ? 'read only' : user?.role}</span>
      </div>
      <div class="row">
        <ThemeChoice />
        <span class="grow" />
        <Button icon="keyboard" kind="bare" label="Keys (?)" onClick={onKeys} />
        <LogOut />
      </div>
    </div>
  );
}

const THEME_OPTIONS: readonly { readonly value: Theme; readonly text: VNode; readonly title: string }[] = [
  { value: 'system', text: <Icon name="system" />, title: 'As the system' },
  { value: 'light', text: <Icon name="light" />, title: 'Light' },
  { value: 'dark', text: <Icon name="dark" />, title: 'Dark' },
];

function ThemeChoice(): VNode {
  return <Choice label="Theme" options={THEME_OPTIONS} value={useStore(theme)} onChoose={chooseTheme} />;
}

/** Of a monitor that people log in to; one on their own machine has nothing to leave. */
function LogOut(): VNode | null {
  const { login } = useSession();
  if (!login.includes('password') && !login.includes('oidc')) return null;
  const leave = (): void => {
    void act('/api/logout').finally(() => globalThis.location.assign('/'));
  };
  return <Button icon="logOut" kind="bare" label="Log out" onClick={leave} />;
}

export function Tabs(): VNode {
  const [location] = useLocation();
  const [isMore, setMore] = useState(false);
  const dead = useDead();
  return (
    <nav class="tabs" aria-label="Views">
      {PLACES.slice(0, TABS).map((place) => (
        <Link key={place.to} href={place.to} {...(isAt(place, location) ? { 'aria-current': 'page' as const } : {})}>
          <Icon name={place.icon} />
          {place.short}
          {place.to === '/dead-letters' && dead > 0 && <span class="place-count">{count(dead)}</span>}
        </Link>
      ))}
      <button type="button" aria-expanded={isMore} onClick={() => setMore(true)}>
        <Icon name="more" />
        More
      </button>
      {isMore && <MoreSheet onClose={() => setMore(false)} />}
    </nav>
  );
}

function MoreSheet({ onClose }: { readonly onClose: () => void }): VNode {
  const { user, app } = useSession();
  return (
    <Dialog title={plainText(app)} onClose={onClose}>
      <div class="places more-places" role="group" aria-label="More views">
        {PLACES.slice(TABS).map(({ to, text, icon }) => (
          <Link key={to} href={to} onClick={onClose}>
            <Icon name={icon} />
            {text}
          </Link>
        ))}
      </div>
      <div class="row">
        <span class="grow cut">{plainText(user?.name ?? '')}</span>
        <ThemeChoice />
        <LogOut />
      </div>
    </Dialog>
  );
}
