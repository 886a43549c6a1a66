import { QueryClient, QueryClientProvider } from '@tanstack/preact-query';
import { render } from 'preact';

import { App } from './app.tsx';
import { ApiProblem } from './data/api.ts';
import './data/preferences.ts';
import './style/tokens.css';
import './style/base.css';
import './style/shell.css';
import './style/controls.css';
import './style/tables.css';
import './style/task.css';
import './style/views.css';
import './style/dialogs.css';
import './style/middle.css';
import './style/phone.css';

const MOST_RETRIES = 2;

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // A refusal stands until something has changed.
      retry: (times, error) =>
        times < MOST_RETRIES && !(error instanceof ApiProblem && error.status >= 400 && error.status < 500),
      refetchOnWindowFocus: false,
      // The monitor may be on this machine, without any network.
      networkMode: 'always',
    },
  },
});

const root = document.querySelector('#page');
if (root !== null)
  render(
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>,
    root,
  );
