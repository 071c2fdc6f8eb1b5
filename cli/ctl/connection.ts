// How `picket ctl` reaches a control plane: address, TLS, token, and a deadline. Shared by its sub-commands.
// Nothing is sent in the clear to another machine.

import { readFileSync } from 'node:fs';
import { ChannelCredentials, type Client, Metadata } from '@grpc/grpc-js';
import { isLoopbackHost } from '../../control-plane/config.ts';
import { PicketError, type Problem } from '../../domain/errors.ts';
import type { HostPort } from '../../domain/option-kinds.ts';
import type { OptionValues } from '../../domain/options.ts';
import { type UnaryMethod, unaryCall } from '../../proto/client-call.ts';
import type { CommandIo } from '../command.ts';
import { kinds, readOptions } from '../options.ts';

const GROUP = 'Control plane';

export const CONNECTION_OPTIONS = {
  controlPlane: kinds.hostPort({
    help: 'gRPC listener of the control plane.',
    group: GROUP,
    fallback: '127.0.0.1:14443',
  }),
  tls: kinds.flag({ help: "TLS, checked against the system's roots. Implied by --tls-ca.", group: GROUP }),
  tlsCa: kinds.file({ help: 'PEM roots that the control plane is checked against.', group: GROUP }),
  tlsCert: kinds.file({ help: 'PEM certificate that is shown, if one is asked for.', group: GROUP }),
  tlsKey: kinds.file({ help: 'PEM key of --tls-cert.', group: GROUP }),
  tokenFile: kinds.file({
    help: 'File with the bearer token, bare or as "operator:TOKEN".',
    group: GROUP,
  }),
  actor: kinds.text({ help: 'Who asks, for the history. Without it: the user name.', group: GROUP }),
  json: kinds.flag({ help: 'One line of JSON.', group: 'Output' }),
};

export type ConnectionValues = OptionValues<typeof CONNECTION_OPTIONS>;

type ClientClass<C extends Client> = new (address: string, credentials: ChannelCredentials) => C;

/** A sub-command's call: options read, connection settings checked. Throws CONFIG_INVALID for a wrong call. */
export function readCtlOptions<const L extends Parameters<typeof readOptions>[0]['options']>(
  command: string,
  options: L,
  call: { readonly args: readonly string[]; readonly io: CommandIo; readonly positionalsMax?: number },
) {
  const { args, io, positionalsMax = 0 } = call;
  return readOptions(
    {
      command: `picket ${command}`,
      options: { ...options, ...CONNECTION_OPTIONS },
      positionalsMax,
      check: (values) => checkConnection(values as unknown as ConnectionValues),
    },
    args,
    io,
  );
}

export function checkConnection(values: ConnectionValues): Problem[] {
  const problems: Problem[] = [];
  if ((values.tlsCert === undefined) !== (values.tlsKey === undefined)) {
    const field = values.tlsCert === undefined ? '--tls-key' : '--tls-cert';
    problems.push({ field, value: 'alone', expected: '--tls-cert and --tls-key together' });
  }
  if (!isLoopbackHost(values.controlPlane.host) && !usesTls(values)) {
    const value = hostPortText(values.controlPlane);
    problems.push({
      field: '--control-plane',
      value,
      expected: 'TLS beyond loopback',
      hint: 'add --tls-ca FILE or --tls',
    });
  }
  return problems;
}

function usesTls(values: ConnectionValues): boolean {
  return values.tls || values.tlsCa !== undefined;
}

function hostPortText({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The token of a file: its one line, or its `operator:` line if it is a control plane's own file. */
export function tokenOf(content: string): string {
  const lines = content.split('\n').map((line) => line.trim());
  const meant = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const roled =
    meant.find((line) => line.startsWith('operator:')) ?? meant.find((line) => line.startsWith('viewer:'));
  const token = roled?.slice(roled.indexOf(':') + 1) ?? (meant.length === 1 ? meant[0] : undefined);
  if (token !== undefined && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new PicketError('CONFIG_INVALID', '--token-file holds no token for operators', {
    hint: 'write the bare token on one line, or "operator:TOKEN"',
  });
}

function readFile(path: string, flag: string): Buffer {
  try {
    return readFileSync(path);
  } catch (thrown) {
    throw new PicketError('CONFIG_INVALID', `${flag} cannot be read: ${PicketError.from(thrown).message}`);
  }
}

export class Connection {
  readonly address: string;
  readonly metadata = new Metadata();
  readonly actor: string;
  readonly #credentials: ChannelCredentials;
  readonly #clients: Client[] = [];

  /** Opens nothing yet: the first call does. */
  constructor(values: ConnectionValues, io: CommandIo) {
    this.address = hostPortText(values.controlPlane);
    this.actor = values.actor ?? io.env['USER'] ?? '';
    const file = (path: string | undefined, flag: string) =>
      path === undefined ? null : readFile(path, flag);
    this.#credentials = usesTls(values)
      ? ChannelCredentials.createSsl(
          file(values.tlsCa, '--tls-ca'),
          file(values.tlsKey, '--tls-key'),
          file(values.tlsCert, '--tls-cert'),
        )
      : ChannelCredentials.createInsecure();
    if (values.tokenFile === undefined) return;
    const token = tokenOf(readFile(values.tokenFile, '--token-file').toString('utf8'));
    this.metadata.set('authorization', `Bearer ${token}`);
  }

  client<C extends Client>(make: ClientClass<C>): C {
    const client = new make(this.address, this.#credentials);
    this.#clients.push(client);
    return client;
  }

  /** One unary call; rejects with a PicketError that names the address if nobody answers there. */
  async call<Request, Response>(
    client: Client,
    method: UnaryMethod<Request, Response>,
    request: Request,
    timeoutMs?: number,
  ): Promise<Response> {
    const settings = { metadata: this.metadata, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    return unaryCall(client, method, request, settings).catch((thrown: unknown) => {
      throw this.explain(thrown);
    });
  }

  /** An unreachable server is named. */
  explain(thrown: unknown): PicketError {
    const error = PicketError.from(thrown);
    if (error.code !== 'UNREACHABLE') return error;
    const { hint } = error;
    return new PicketError('UNREACHABLE', `no control plane answers at ${this.address}: ${error.message}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

/** Runs `work` with a connection and closes it. */
export async function connected<T>(
  values: ConnectionValues,
  io: CommandIo,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = new Connection(values, io);
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}
