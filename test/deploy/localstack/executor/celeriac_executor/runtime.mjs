/** Lambda's runtime for one execution environment: takes invocations from LocalStack, one after another, and tells what came of each. */
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const {
  EXECUTOR_ID,
  EXECUTOR_PORT,
  LOCALSTACK_RUNTIME_ENDPOINT: localstack,
  LAMBDA_TASK_ROOT: folder,
  _HANDLER: wanted,
  AWS_LAMBDA_FUNCTION_TIMEOUT: timeoutSeconds,
} = process.env;

async function tell(path, document) {
  await fetch(`${localstack}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: document,
  });
}

function errorDocument(error) {
  return JSON.stringify({
    errorType: error?.name ?? 'Error',
    errorMessage: error?.message ?? String(error),
    stackTrace: String(error?.stack ?? '').split('\n'),
  });
}

async function loadHandler() {
  const dot = wanted.lastIndexOf('.');
  const file = ['.mjs', '.js', '.cjs']
    .map((extension) => join(folder, `${wanted.slice(0, dot)}${extension}`))
    .find((path) => existsSync(path));
  if (file === undefined) throw new Error(`There is no module of ${wanted} in ${folder}.`);
  const module = await import(pathToFileURL(file).href);
  return module[wanted.slice(dot + 1)];
}

class TimedOut extends Error {}

async function invoke(handler, { 'invoke-id': id, 'invoked-function-arn': arn, payload }) {
  const limitMs = Number(timeoutSeconds ?? 3) * 1000;
  const deadlineMs = Date.now() + limitMs;
  const context = {
    awsRequestId: id,
    invokedFunctionArn: arn,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new TimedOut(`${id} Task timed out after ${limitMs / 1000} seconds`)), limitMs);
  });
  try {
    const answer = await Promise.race([handler(JSON.parse(payload), context), late]);
    await tell(`/invocations/${id}/logs`, JSON.stringify({ logs: '' }));
    await tell(`/invocations/${id}/response`, JSON.stringify(answer ?? null));
  } catch (error) {
    await tell(`/invocations/${id}/logs`, JSON.stringify({ logs: String(error?.stack ?? error) }));
    await tell(`/invocations/${id}/error`, errorDocument(error));
    if (error instanceof TimedOut) process.exit(1);
  } finally {
    clearTimeout(timer);
  }
}

try {
  const handler = await loadHandler();
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      response.end();
      if (request.url === '/invoke') void invoke(handler, JSON.parse(Buffer.concat(chunks).toString()));
    });
  });
  server.listen(Number(EXECUTOR_PORT), '127.0.0.1', () => void tell(`/status/${EXECUTOR_ID}/ready`, '{}'));
} catch (error) {
  await tell(`/status/${EXECUTOR_ID}/error`, errorDocument(error));
  process.exit(1);
}
