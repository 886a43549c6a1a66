/** A certificate that nobody has signed, for servers on loopback: made by openssl, since Node makes none. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** @param name that it is for, `IP:127.0.0.1` say */
export function selfSigned(name: string): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-certificate-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const made = ['-keyout', key, '-out', cert, '-nodes', '-days', '2', '-subj', '/CN=celeriac'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-addext', `subjectAltName=${name}`];
    execFileSync('openssl', ['req', '-x509', ...kind, ...made], { stdio: 'pipe' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
