// The few members of the WebAssembly interface that scoring core and feature engine need, typed here because Node's types leave
// them to the browser's. Opens no file and compiles nothing. Called by wasm-core/host and feature-engine/kernel.

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

export interface SharedWasmMemory {
  readonly buffer: SharedArrayBuffer;
}

/** A compiled module; opaque, can be sent to worker threads. */
export type WasmModule = object;

interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  /** Pages of 64 KiB. */
  readonly Memory: new (shape: {
    initial: number;
    maximum: number;
    shared: true;
  }) => SharedWasmMemory;
}

export const wasm: WasmApi = (globalThis as unknown as { WebAssembly: WasmApi }).WebAssembly;
