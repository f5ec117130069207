import { Reply } from './reply.js';
import type { Request } from './request.js';

/** What a handler returns that will answer later, with `request.answer`. */
export const LATER: unique symbol = Symbol('later');

/** Answers a request. */
export type Handler = (request: Request) => Reply | typeof LATER;

interface Route {
  readonly handlers: Map<string, Handler>;
  notAllowed: Reply;
  options: Reply;
}

/**
 * Who answers what: a table of paths, with the methods of each. A path is taken as it is written,
 * escapes and all. HEAD is answered as GET is, without the body; OPTIONS by the table itself.
 */
export class Mux {
  readonly #routes = new Map<string, Route>();
  /** What was asked for last: to compare a text is less than to look one up. */
  #lastPath: string | undefined;
  #lastRoute: Route | undefined;

  handle(method: string, path: string, handler: Handler): this {
    const handlers = this.#routes.get(path)?.handlers ?? new Map<string, Handler>();
    handlers.set(method, handler);
    if (method === 'GET') handlers.set('HEAD', handler);
    const allow = { Allow: [...handlers.keys(), 'OPTIONS'].join(', ') };
    this.#routes.set(path, {
      handlers,
      notAllowed: new Reply(405, 'method not allowed\n', { fields: allow }),
      options: new Reply(204, '', { fields: allow }),
    });
    this.#lastPath = undefined;
    return this;
  }

  /** Who answers it; or the answer, if that is nobody's matter. */
  find(method: string, path: string): Handler | Reply {
    const route = this.#routeOf(path);
    if (route === undefined) return method === 'OPTIONS' && path === '*' ? NO_CONTENT : NOT_FOUND;
    const handler = route.handlers.get(method);
    if (handler !== undefined) return handler;
    return method === 'OPTIONS' ? route.options : route.notAllowed;
  }

  #routeOf(path: string): Route | undefined {
    if (path === this.#lastPath) return this.#lastRoute;
    this.#lastPath = path;
    return (this.#lastRoute = this.#routes.get(path));
  }
}

const NO_CONTENT = new Reply(204);
const NOT_FOUND = new Reply(404, 'not found\n');
