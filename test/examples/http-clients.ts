/** Clients of the HTTP examples that share no code with them. */
import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { run } from '../support/child.js';
import type { RunningServer } from '../support/server.js';
import { connectTo } from './clients.js';

/** Sends bytes as they are, and answers all that comes back before the server closes. */
export async function exchange(server: RunningServer, bytes: Buffer | string): Promise<string> {
  const socket = await connectTo(server);
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
  socket.once('end', () => socket.end());
  const closed = once(socket, 'close');
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  await closed;
  return answer;
}

/** The statuses of answers in a row. */
export function statusesOf(answers: string): number[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** An answer, by Node’s own client. */
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Asks for a path on a connection of its own. */
export function get(port: number, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
        text(response).then((body) => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        }, reject);
      })
      .on('error', reject);
  });
}

/** What `ab` counts. */
export interface AbReport {
  readonly complete: number;
  readonly failed: number;
  /** Answers that were not 2xx. */
  readonly refused: number;
  readonly documentBytes: number;
}

/** ApacheBench: so many requests over so many connections at a time. */
export async function ab(
  server: RunningServer,
  path: string,
  count: number,
  concurrent: number,
  ...more: readonly string[]
): Promise<AbReport> {
  const url = `http://127.0.0.1:${server.port}${path}`;
  const args = ['-q', '-s', '120', '-n', String(count), '-c', String(concurrent), ...more, url];
  const { code, stdout, stderr } = await run('ab', args, { timeoutMs: 240_000 });
  if (code !== 0) throw new Error(`ab left with ${String(code)}: ${stderr}`);
  const number = (name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(stdout)?.[1] ?? 0);
  return {
    complete: number('Complete requests'),
    failed: number('Failed requests'),
    refused: number('Non-2xx responses'),
    documentBytes: number('Document Length'),
  };
}
