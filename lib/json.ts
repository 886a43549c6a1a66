/** PLACEHOLDER HEADER: interface only, replaced by the implementation. */
/** JSON text of `value`, kombu's typed values included. Throws NotSerializable naming the path, which starts with `root`. */
export declare function encodeJson(value: unknown, root?: string): string;
/** Reads JSON text as kombu writes it. Throws SyntaxError. */
export declare function decodeJson(text: string): unknown;
