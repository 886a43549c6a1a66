/** The page: who is logged in, and which view the address says. */
import { useQueryClient } from '@tanstack/preact-query';
import type { VNode } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { Redirect, Route, Switch, useLocation } from 'wouter-preact';

import { csrf, loggedOut } from './data/api.ts';
import { useKeyboard } from './data/keyboard.ts';
import { useLive } from './data/live.ts';
import { isHeld, Session, useSession, useSessionQuery } from './data/queries.ts';
import { useStore } from './data/store.ts';
import { KeysDialog } from './parts/keys-dialog.tsx';
import { ProblemNote, Skeleton } from './parts/loaded.tsx';
import { Side, Tabs } from './parts/shell.tsx';
import { Toast } from './parts/toast.tsx';
import type { KeyAction } from './pure/keys.ts';
import { AuditListView } from './views/audit.tsx';
import { CatalogueView } from './views/catalogue.tsx';
import { LettersView } from './views/letters.tsx';
import { LimitsView } from './views/limits.tsx';
import { LoginView } from './views/login.tsx';
import { NotFoundView } from './views/not-found.tsx';
import { OverviewView } from './views/overview.tsx';
import { QueuesView } from './views/queues.tsx';
import { SchedulesView } from './views/schedules.tsx';
import { TaskView } from './views/task.tsx';
import { TasksView } from './views/tasks.tsx';

export function App(): VNode {
  const query = useSessionQuery();
  const client = useQueryClient();
  const left = useStore(loggedOut);
  useEffect(() => {
    if (left > 0) void client.invalidateQueries({ queryKey: ['session'] });
  }, [left, client]);
  const { data, error, refetch } = query;
  csrf.set(data?.csrf);
  // What one person has seen is not the next one's.
  const nobody = data?.user === null;
  useEffect(() => {
    if (nobody) client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
  }, [nobody, client]);
  if (data === undefined)
    return (
      <main class="alone">
        <h1 class="visually-hidden">Celeriac</h1>
        {error === null ? <Skeleton /> : <ProblemNote error={error} onAgain={() => void refetch()} />}
      </main>
    );
  return (
    <Session.Provider value={data}>
      {data.user === null ? <LoginView /> : <Views />}
      <Toast />
    </Session.Provider>
  );
}

function Views(): VNode {
  const [location, go] = useLocation();
  const [isHelp, setHelp] = useState(false);
  const handle = useCallback(
    (action: KeyAction) => {
      if (action.do === 'go') go(action.to);
      else if (action.do === 'hold') isHeld.set(!isHeld.get());
      else setHelp(true);
    },
    [go],
  );
  useKeyboard(handle);
  const { live } = useSession();
  useLive(live === 'stream' && !useStore(isHeld));
  // Before the browser paints: later it would take the focus from what was pressed or clicked meanwhile.
  useLayoutEffect(() => {
    globalThis.scrollTo(0, 0);
    document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
  }, [location]);
  return (
    <div class="page">
      <a class="skip" href="#main">
        Skip to the view
      </a>
      <Side onKeys={() => setHelp(true)} />
      <Switch>
        <Route path="/" component={OverviewView} />
        <Route path="/tasks" component={TasksView} />
        <Route path="/tasks/:id">{({ id }) => <TaskView key={id} id={id} />}</Route>
        <Route path="/queues" component={QueuesView} />
        <Route path="/dead-letters" component={LettersView} />
        <Route path="/schedules" component={SchedulesView} />
        <Route path="/limits" component={LimitsView} />
        <Route path="/catalogue" component={CatalogueView} />
        <Route path="/audit" component={AuditListView} />
        {/* Where a provider has sent somebody back to, who is in by now. */}
        <Route path="/login">
          <Redirect to="/" replace />
        </Route>
        <Route component={NotFoundView} />
      </Switch>
      <Tabs />
      {isHelp && <KeysDialog onClose={() => setHelp(false)} />}
    </div>
  );
}
