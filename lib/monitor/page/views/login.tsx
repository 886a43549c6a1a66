/** Nobody is logged in: how to. */
import { useQueryClient } from '@tanstack/preact-query';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useSearch } from 'wouter-preact';

import { act, type ApiProblem, loggedOut, problemFrom } from '../data/api.ts';
import { useSession } from '../data/queries.ts';
import { useStore } from '../data/store.ts';
import { Button, Field, Note } from '../parts/controls.tsx';
import { Mark } from '../parts/shell.tsx';
import { Hostile } from '../parts/text.tsx';

export function LoginView(): VNode {
  const { app, login } = useSession();
  return (
    <main class="alone">
      <div class="panel login">
        <p class="brand">
          <Mark /> Celeriac
        </p>
        <h1>
          <Hostile text={app} />
        </h1>
        <WhyHere />
        {login.includes('oidc') && (
          <a class="button button-main" href="/login/oidc">
            Log in with single sign-on
          </a>
        )}
        {login.includes('oidc') && login.includes('password') && <p class="or">or</p>}
        {login.includes('password') && <PasswordForm />}
        {login.includes('token') && (
          <Note icon="terminal">
            This monitor is for whoever has its address. Open the one that the command printed when it started: it ends
            with <code>?token=…</code>
          </Note>
        )}
        {login.length === 1 && login[0] === 'iam' && (
          <Note>Requests to this monitor are signed with the keys of AWS (SigV4). A browser has none.</Note>
        )}
      </div>
    </main>
  );
}

const REFUSED: Readonly<Record<string, string>> = {
  unknown: 'Nobody of that name may see this monitor. Who runs it decides who may.',
  failed: 'The login did not work. It has to be begun and ended in one browser, within some minutes.',
};

/** A provider has sent somebody back, or a session is over. */
function WhyHere(): VNode | null {
  const refused = new URLSearchParams(useSearch()).get('refused');
  const isOver = useStore(loggedOut) > 0;
  const why = refused === null ? undefined : (REFUSED[refused] ?? REFUSED['failed']);
  if (why === undefined && !isOver) return null;
  return (
    <div role="alert">
      <Note tone="warn" icon="warning">
        {why ?? 'Your session has ended.'}
      </Note>
    </div>
  );
}

function PasswordForm(): VNode {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<ApiProblem>();
  const submit = async (): Promise<void> => {
    try {
      await act('/api/login', { name, password });
      loggedOut.set(0);
      await client.invalidateQueries();
    } catch (error) {
      setPassword('');
      setProblem(problemFrom(error));
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {problem !== undefined && (
        <div role="alert">
          <Note tone="bad" icon="warning">
            <b>{problem.title}</b> {problem.message}
          </Note>
        </div>
      )}
      <Field label="Name">
        <input
          class="input"
          autocomplete="username"
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </Field>
      <Field label="Password">
        <input
          class="input"
          type="password"
          autocomplete="current-password"
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </Field>
      <Button type="submit" kind="main">
        Log in
      </Button>
    </form>
  );
}
