// The standard reflection service (grpc.reflection.v1 and v1alpha), so that grpcurl lists and calls our services without
// their .proto files. Answers come from descriptors that scripts/gen.ts indexed; nothing is parsed at run time.
// Source: github.com/grpc/grpc/blob/master/doc/server-reflection.md

import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { DESCRIPTOR_FILES, type DescriptorFile } from '../../proto/gen/descriptor-set.ts';
import type {
  ServerReflectionRequest,
  ServerReflectionResponse,
  ServerReflectionServer,
} from '../../proto/gen/grpc/reflection/v1/reflection.ts';

type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;

const FILES: ReadonlyMap<string, DescriptorFile> = new Map(DESCRIPTOR_FILES.map((file) => [file.name, file]));
const SYMBOLS: ReadonlyMap<string, DescriptorFile> = new Map(
  DESCRIPTOR_FILES.flatMap((file) => file.symbols.map((symbol) => [symbol, file] as const)),
);
/** Full names of all services that are served. */
export const SERVICE_NAMES: readonly string[] = DESCRIPTOR_FILES.flatMap((file) => file.services);

/** Both versions have the same messages, so one implementation serves both. */
export function reflectionService(): ServerReflectionServer {
  return { serverReflectionInfo: (call) => answerAll(call) };
}

function answerAll(call: ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>): void {
  call.on('data', (request: ServerReflectionRequest) => {
    const { host: validHost } = request;
    const fits = call.write({ validHost, originalRequest: request, messageResponse: answer(request) });
    if (!fits) call.pause();
  });
  call.on('drain', () => call.resume());
  call.on('end', () => call.end());
  call.on('error', () => undefined);
}

function answer({ messageRequest }: ServerReflectionRequest): Answer {
  switch (messageRequest?.$case) {
    case 'listServices': {
      const service = SERVICE_NAMES.map((name) => ({ name }));
      return { $case: 'listServicesResponse', value: { service } };
    }
    case 'fileByFilename':
      return filesOf(FILES.get(messageRequest.value), messageRequest.value);
    case 'fileContainingSymbol':
      return filesOf(SYMBOLS.get(messageRequest.value), messageRequest.value);
    case 'allExtensionNumbersOfType':
    case 'fileContainingExtension':
      return refusal(status.NOT_FOUND, 'no extensions exist');
    default:
      return refusal(status.INVALID_ARGUMENT, 'an empty request');
  }
}

/** A file and everything that it imports. */
function filesOf(file: DescriptorFile | undefined, asked: string): Answer {
  if (file === undefined) return refusal(status.NOT_FOUND, `not found: ${asked.slice(0, 200)}`);
  const wanted = new Set<DescriptorFile>([file]);
  for (const member of wanted) {
    for (const name of member.dependencies) {
      const dependency = FILES.get(name);
      if (dependency !== undefined) wanted.add(dependency);
    }
  }
  const fileDescriptorProto = [...wanted].map(({ base64 }) => Buffer.from(base64, 'base64'));
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function refusal(errorCode: status, errorMessage: string): Answer {
  return { $case: 'errorResponse', value: { errorCode, errorMessage } };
}
