/** Lambda entry of a status address, behind a function URL. It holds no task code, and reads results alone. */
import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';

import { Celeriac } from '../lib/app/app.ts';
import { answerStatus, statusToldIn } from '../lib/app/status-function.ts';
import { readSecret } from '../lib/aws/secret-texts.ts';
import { processEnvironment } from '../lib/options/environment.ts';

const told = statusToldIn(processEnvironment());
const app = Celeriac.fromEnvironment(told.app);

/** Answers requests to the function's address. */
export const handler = async (event: LambdaFunctionURLEvent): Promise<LambdaFunctionURLResult> => {
  const { rawPath: path, rawQueryString: query, requestContext } = event;
  const answer = await answerStatus(
    { method: requestContext.http.method, path, query },
    {
      told,
      secret: () => readSecret(told.secret ?? ''),
      ports: () => app.ports(),
      clock: app.clock,
      logger: app.logger,
    },
  );
  return { statusCode: answer.status, headers: { ...answer.headers }, body: answer.body };
};
