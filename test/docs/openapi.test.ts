/** lib/monitor/openapi.json is made of the routes, is valid, and has every address that the monitor answers at. */
import { readFileSync, writeFileSync } from 'node:fs';

import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';

import { OidcAccess } from '../../lib/monitor/login/oidc-access.ts';
import { PasswordAccess } from '../../lib/monitor/login/password-access.ts';
import { honoPath } from '../../lib/monitor/route.ts';
import { openApiDocument } from '../../scripts/openapi.ts';
import { monitorOfShop } from '../support/monitored-shop.ts';

const FILE = 'lib/monitor/openapi.json';
type Operation = Readonly<Record<string, unknown>> & { readonly operationId: string };
const document = openApiDocument() as { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

// Of browsers on their way to a provider and back.
const PAGES = ['GET /login/oidc', 'GET /login/callback'];

it('is up to date: UPDATE=1 writes it', () => {
  if (process.env['UPDATE'] === '1') writeFileSync(FILE, `${JSON.stringify(document, null, 2)}\n`);
  expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(JSON.parse(JSON.stringify(document)));
});

it('is what the monitor answers with, and valid OpenAPI 3.1', async () => {
  const { monitor } = monitorOfShop();
  const served = await monitor.get('/api/openapi.json');
  expect(served).toEqual(JSON.parse(readFileSync(FILE, 'utf8')));
  const validator = new Validator();
  expect(await validator.validate(structuredClone(served))).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  // What it refers to is there.
  expect(() => validator.resolveRefs()).not.toThrow();
});

it('a document that is none is found out', async () => {
  const { paths, ...rest } = structuredClone(document) as Record<string, unknown>;
  expect(paths).toBeDefined();
  expect((await new Validator().validate({ ...rest, paths: { tasks: {} } })).valid).toBe(false);
});

describe('every address', () => {
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${honoPath({ path })}`),
  );

  it('that the server has is described, and none that it has not', () => {
    const options = { sessions: {} as never, issuer: 'https://x.test', clientId: 'x', operators: [] };
    const shops = [
      monitorOfShop(({ app }) => ({
        access: new PasswordAccess({ ...options, app, users: async () => ({}), callerOf: () => '' }),
      })),
      monitorOfShop(({ app: { logger } }) => ({
        access: new OidcAccess({ ...options, logger, clientSecret: async () => undefined }),
      })),
    ];
    const served = shops
      .flatMap(({ monitor }) => monitor.app.routes)
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path}`);
    expect([...new Set(served)].filter((name) => !PAGES.includes(name)).toSorted()).toEqual(described.toSorted());
  });

  it('has an id of its own', () => {
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.every((id) => /^[a-z][A-Za-z]+$/.test(id))).toBe(true);
  });
});
