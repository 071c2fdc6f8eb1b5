// The few members of the WebAssembly interface that the core needs, typed here because Node's types leave
// them to the browser's.
// Called by core-module.ts and core.ts.

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** A compiled module; opaque, can be sent to worker threads. */
export type WasmModule = object;

interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: Record<string, never>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

export const wasm: WasmApi = (globalThis as unknown as { WebAssembly: WasmApi }).WebAssembly;
