import { OwnedDescriptor, type Holder } from '../descriptor/owned-descriptor.js';
import { TcpStream } from '../descriptor/tcp.js';
import { checkOptions, invalidArgType } from '../errors.js';
import { Member, type MemberDescription } from './member.js';
import type { Scope } from './scope.js';

/** How something is listed that a scope owns. */
export interface OwnOptions {
  /** What it is called. Default: nothing, or what its registration is called. */
  readonly label?: string;
  /** What it is. Default: the name of its class. */
  readonly kind?: string;
}

/** The members of what is no descriptor of this library, which has a place for it. */
const others = new WeakMap<object, Owned>();

/** What can be asked of a resource beside that it can be disposed of. */
interface Described {
  readonly fd?: unknown;
  readonly pending?: unknown;
  readonly stream?: unknown;
}

/** A resource in the hands of a scope. @internal */
export class Owned extends Member implements Holder {
  readonly resource: Disposable;
  readonly label: string;
  readonly kind: string;
  /** Whether another scope may take it. */
  readonly movable: boolean;

  constructor(owner: Scope, resource: Disposable, options: OwnOptions, movable = true) {
    const { label = '', kind = nameOf(resource) } = options;
    super(owner, owner.loop.track?.());
    this.resource = resource;
    this.label = label;
    this.kind = kind;
    this.movable = movable;
    if (resource instanceof OwnedDescriptor) resource.holder = this;
    else others.set(resource, this);
  }

  /** What holds a resource at present. */
  static holderOf(resource: Disposable): Holder | undefined {
    return resource instanceof OwnedDescriptor ? resource.holder : others.get(resource);
  }

  /** The descriptor; `-1` if it has none. */
  get fd(): number {
    const { fd } = this.resource as Described;
    return typeof fd === 'number' ? fd : -1;
  }

  end(_reason: unknown, errors: unknown[]): void {
    try {
      this.resource[Symbol.dispose]();
    } catch (error) {
      errors.push(error);
    }
  }

  describe(): MemberDescription {
    const { fd, kind } = this;
    const registration = this.owner?.loop.registrationOf(fd);
    const { pending } = this.resource as Described;
    return {
      ...{ fd, kind, label: this.label === '' ? (registration?.label ?? '') : this.label },
      ...{ interest: registration?.interest ?? 0, bytes: bytesOf(this.resource) },
      ...(typeof pending === 'number' && { pending }),
    };
  }

  protected override left(): void {
    if (this.resource instanceof OwnedDescriptor) this.resource.holder = undefined;
    else others.delete(this.resource);
  }
}

/** What the kernel counts of a TCP connection, so that nobody has to count as the bytes pass. */
function bytesOf(resource: Disposable): MemberDescription['bytes'] {
  const { stream = resource } = resource as Described;
  if (!(stream instanceof TcpStream) || stream.closed) return undefined;
  try {
    const { bytes_received: received, bytes_acked: sent } = stream.info();
    return received === undefined || sent === undefined ? undefined : { received, sent };
  } catch {
    return undefined; // No struct tcp_info on this system.
  }
}

/** The name of its class; it may have none. */
function nameOf(resource: Disposable): string {
  const { constructor } = resource as { constructor?: { name?: unknown } };
  return typeof constructor?.name === 'string' ? constructor.name : 'object';
}

/** @internal */
export function checkOwnOptions(options: OwnOptions): void {
  const { label = '', kind = '' } = checkOptions(options);
  checkText('label', label);
  checkText('kind', kind);
}

/** @internal */
export function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string') throw invalidArgType(name, 'string', value);
}
