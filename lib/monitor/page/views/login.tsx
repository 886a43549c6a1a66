/** Nobody is logged in: how to. */
import { useQueryClient } from '@tanstack/preact-query';
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';

import { act, type ApiProblem, problemFrom } from '../data/api.ts';
import { useSession } from '../data/queries.ts';
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

function PasswordForm(): VNode {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<ApiProblem>();
  const submit = async (): Promise<void> => {
    try {
      await act('/api/login', { name, password });
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
