/** A request to make, by the SDK's name for it, and who looks at it on its way. */

export interface HandlerContext {
  /** As in `SendMessageCommand`. */
  readonly commandName: string;
}

export interface StackArguments {
  input: object;
  request?: unknown;
}

export interface Output {
  readonly output: Record<string, unknown>;
  readonly response: unknown;
}

export type Next = (args: StackArguments) => Promise<Output>;
export type Middleware = (next: Next, context: HandlerContext) => Next;

/** Of the SDK's stack what the library uses: a look at each call (`initialize`) or at each of its tries (every other step). */
export class MiddlewareStack {
  readonly #calls: Middleware[] = [];
  readonly #tries: Middleware[] = [];

  add(middleware: Middleware, { step }: { readonly step: string }): void {
    (step === 'initialize' ? this.#calls : this.#tries).push(middleware);
  }

  aroundCall(next: Next, context: HandlerContext): Next {
    return around(this.#calls, next, context);
  }

  aroundTry(next: Next, context: HandlerContext): Next {
    return around(this.#tries, next, context);
  }
}

function around(middleware: readonly Middleware[], next: Next, context: HandlerContext): Next {
  return middleware.reduceRight((inner, each) => each(inner, context), next);
}

export class Command {
  readonly middlewareStack: MiddlewareStack = new MiddlewareStack();
  readonly input: object;
  /** As in `SendMessage`; a class's own name is another one in a minified bundle. */
  readonly operation: string;

  constructor(operation: string, input: object) {
    this.operation = operation;
    this.input = input;
  }
}

export type CommandClass = new (input: object) => Command;

export function command(operation: string): CommandClass {
  return class extends Command {
    constructor(input: object) {
      super(operation, input);
    }
  };
}
