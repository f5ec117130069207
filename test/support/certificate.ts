import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A key, and the certificate of `localhost` that it has signed itself. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Makes a new one with openssl(1). */
export function newCertificate(): Certificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-tls-'));
  const [key, cert] = [path.join(folder, 'key'), path.join(folder, 'cert')] as const;
  try {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
        ...['-keyout', key, '-out', cert],
      ],
      { stdio: 'ignore' },
    );
    return { key: readFileSync(key, 'latin1'), cert: readFileSync(cert, 'latin1') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
